package main

import (
	"image/color"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// What is drawn is the library's code, module for module, with light around it. That it
// scans is seen in internal/e2e.
func TestHalfBlocks(t *testing.T) {
	for _, text := range []string{"https://a.example/device", "https://auth.example.com/device?user_code=WDJB-MJHT", strings.Repeat("A long one. ", 40)} {
		code, err := qr.Encode(text, qr.L, qr.Auto)
		if err != nil {
			t.Fatal(err)
		}
		size, lines := code.Bounds().Dx(), halfBlocks(text)
		if want := (size + 2*quietZone + 1) / 2; len(lines) != want {
			t.Fatalf("got %d lines, want %d", len(lines), want)
		}
		for y := range 2 * len(lines) {
			cells := []rune(lines[y/2])
			if len(cells) != size+2*quietZone {
				t.Fatalf("line %d: got %d characters, want %d", y/2, len(cells), size+2*quietZone)
			}
			for x, cell := range cells {
				dark := strings.ContainsRune("█▀", cell)
				if y%2 == 1 {
					dark = strings.ContainsRune("█▄", cell)
				}
				i, j := x-quietZone, y-quietZone
				inside := min(i, j) >= 0 && max(i, j) < size
				if want := inside && code.At(i, j) == color.Black; dark != want {
					t.Errorf("the module at %d, %d: dark is %t, want %t", i, j, dark, want)
				}
			}
		}
	}
	if lines := halfBlocks(strings.Repeat("A", 5000)); lines != nil {
		t.Errorf("5,000 characters: got %d lines, want none", len(lines))
	}
}

func TestQRCodeFits(t *testing.T) {
	const text = "https://a.example/device" // 25 modules, 33 with the light around them
	for name, c := range map[string]struct {
		screen *screen
		want   bool
	}{
		"a common terminal":    {&screen{80, 24}, true},
		"just wide enough":     {&screen{33, 24}, true},
		"too narrow":           {&screen{32, 24}, false},
		"just high enough":     {&screen{80, 19}, true},
		"too low":              {&screen{80, 18}, false},
		"a size of nothing":    {&screen{0, 0}, false},
		"a file, or a pipe":    {nil, false},
		"a terminal like none": {&screen{1 << 20, 1 << 20}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.screen.qrCode(text)
			if got != "" != c.want {
				t.Fatalf("got %d bytes, want some: %t", len(got), c.want)
			}
			for line := range strings.Lines(got) {
				if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, blackOnWhite) || !strings.HasSuffix(line, plain) {
					t.Errorf("the colours are not set, or not put back, in %q", line)
				}
			}
		})
	}
}

func TestScreenText(t *testing.T) {
	const url = "https://a.example/device?c=WDJB-MJHT"
	for name, c := range map[string]struct{ got, want string }{
		"a link":             {(&screen{80, 24}).link("text", url), "\x1b]8;;" + url + "\x1b\\text\x1b]8;;\x1b\\"},
		"a link in a file":   {(*screen)(nil).link("text", url), "text"},
		"large":              {(&screen{80, 24}).large("  WDJB-MJHT"), "\x1b#6\x1b[1m  WDJB-MJHT\x1b[0m"},
		"large, just fits":   {(&screen{22, 24}).large("  WDJB-MJHT"), "\x1b#6\x1b[1m  WDJB-MJHT\x1b[0m"},
		"large, has no room": {(&screen{21, 24}).large("  WDJB-MJHT"), "\x1b[1m  WDJB-MJHT\x1b[0m"},
		"large in a file":    {(*screen)(nil).large("  WDJB-MJHT"), "  WDJB-MJHT"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}

func TestScreenOf(t *testing.T) {
	tty := terminal(t)
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, c := range map[string]struct {
		f             any
		term, noColor string
		want          bool
	}{
		"a terminal":                {tty, "xterm", "", true},
		"a terminal, NO_COLOR":      {tty, "xterm", "1", false},
		"a terminal without a name": {tty, "", "", false},
		"a dumb terminal":           {tty, "dumb", "", false},
		"a file":                    {file, "xterm", "", false},
		"no file at all":            {io.Discard, "xterm", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TERM", c.term)
			t.Setenv("NO_COLOR", c.noColor)
			if got := screenOf(c.f) != nil; got != c.want {
				t.Errorf("got a screen: %t, want %t", got, c.want)
			}
		})
	}
}
