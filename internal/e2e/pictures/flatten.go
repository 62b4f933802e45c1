package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"slices"
)

// flatten reduces a PNG to 256 colours, which makes it a third of the size. What goes
// is noise that smooths gradients, and steps on the edges of letters.
func flatten(picture []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	flat := image.NewPaletted(full.Bounds(), palette(full))
	draw.Draw(flat, flat.Rect, full, flat.Rect.Min, draw.Src)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, flat)
	return out.Bytes(), err
}

// palette is the most frequent colours, and of the others those that are least like
// one that is in it already.
func palette(picture image.Image) color.Palette {
	count := map[color.Color]int{}
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[picture.At(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int {
		return cmp.Compare(count[b], count[a])
	})
	chosen := color.Palette(slices.Clip(colors[:min(len(colors), 128)]))
	for len(chosen) < min(len(colors), 256) {
		chosen = append(chosen, slices.MaxFunc(colors, func(a, b color.Color) int {
			return cmp.Compare(distance(a, chosen.Convert(a)), distance(b, chosen.Convert(b)))
		}))
	}
	return chosen
}

// distance is as the palette measures it: squared, of premultiplied colours.
func distance(a, b color.Color) float64 {
	r1, g1, b1, a1 := a.RGBA()
	r2, g2, b2, a2 := b.RGBA()
	square := func(x, y uint32) float64 { return (float64(x) - float64(y)) * (float64(x) - float64(y)) }
	return square(r1, r2) + square(g1, g2) + square(b1, b2) + square(a1, a2)
}
