package main

import (
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

const (
	quietZone = 4 // modules of light around a QR code, ISO/IEC 18004

	// Black on white of the 256 colours, the two that no theme changes.
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	plain        = "\x1b[0m"
)

// qrCode is text as a QR code. It is empty where the screen hasn't room for all of it
// at once, and without colours: on a background that nobody knows it might be light on
// dark, which many scanners don't read.
func (s *screen) qrCode(text string) string {
	if s == nil {
		return ""
	}
	lines := halfBlocks(text)
	if len(lines) == 0 || len([]rune(lines[0])) > s.width || len(lines)+2 > s.height {
		return ""
	}
	for i := range lines {
		lines[i] = blackOnWhite + lines[i] + plain
	}
	return strings.Join(lines, "\n")
}

// halfBlocks draws a QR code with two modules to a character, which makes them about
// square. There is none for a text that is too long.
func halfBlocks(text string) []string {
	code, err := qr.Encode(text, qr.L, qr.Auto) // a screen has no scratches to correct
	if err != nil {
		return nil
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		return min(x, y) >= 0 && max(x, y) < size && code.At(x, y) == color.Black
	}
	blocks := map[[2]bool]string{{true, true}: "█", {true, false}: "▀", {false, true}: "▄", {false, false}: " "}
	var lines []string
	for y := -quietZone; y < size+quietZone; y += 2 {
		var line strings.Builder
		for x := -quietZone; x < size+quietZone; x++ {
			line.WriteString(blocks[[2]bool{dark(x, y), dark(x, y+1)}])
		}
		lines = append(lines, line.String())
	}
	return lines
}
