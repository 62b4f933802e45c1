package main

import (
	"context"
	"encoding/base64"
	"os"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser is a Chromium that sees the machine's two names, and loopback, and nothing
// else: what it would warn of is the session's own certificates.
type browser struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func openBrowser(ctx context.Context, proxy string) (*browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // which root can't have
		chromedp.DisableGPU,
		chromedp.ProxyServer(proxy),
		chromedp.IgnoreCertErrors,
		chromedp.Flag("disable-component-update", true),
	)
	allocator, stop := chromedp.NewExecAllocator(ctx, options...)
	ctx, _ = chromedp.NewContext(allocator) // cancelled by chromedp.Cancel, below
	b := &browser{ctx, stop}
	// Twice the pixels, for screens that have them.
	err := chromedp.Do(ctx, chromedp.EmulateViewport(pageWidth, pageHeight, chromedp.EmulateScale(2)))
	if err != nil {
		stop()
		return nil, err
	}
	return b, nil
}

// close ends Chromium, politely first.
func (b *browser) close() {
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	chromedp.Cancel(ctx) // an error leaves it to the next line
	b.cancel()
}

// The part of the browser that shows the page, in CSS pixels.
const pageWidth, pageHeight = 936, 460

// page is what the browser showed in the end.
type page struct {
	host    string // of its address; the rest is good for once
	picture []byte // PNG
}

// signIn opens the URL that authctl wants opened and presses the provider's button,
// then waits for authctl's own page to stand still.
func (b *browser) signIn(opened func() (string, error)) (*page, error) {
	url, err := opened()
	if err != nil {
		return nil, err
	}
	err = chromedp.Do(b.ctx, chromedp.Navigate(url),
		chromedp.Click(chromedp.CSS("button.go")), chromedp.WaitVisible(chromedp.CSS("body.ok main")))
	if err != nil {
		return nil, err
	}
	const still = "Promise.all(document.getAnimations().map(a => a.finished)).then(() => location.host)"
	host, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](still, chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, err
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	return &page{host, picture}, err
}

// draw writes a picture of an HTML document's body to a file.
func (b *browser) draw(document []byte, file string) error {
	err := chromedp.Do(b.ctx, transparent,
		chromedp.Navigate("data:text/html;base64,"+base64.StdEncoding.EncodeToString(document)))
	if err != nil {
		return err
	}
	picture, err := chromedp.Run(b.ctx, chromedp.Screenshot(chromedp.CSS("body")))
	if err != nil {
		return err
	}
	if picture, err = flatten(picture); err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

// transparent lets the README's own background, light or dark, show around a window.
// An alpha of zero would be left out of the message, which means one.
func transparent(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	nothing := &cdp.RGBA{A: 1e-6}
	_, err := cdp.Call(ctx, t, emulation.SetDefaultBackgroundColorOverride,
		emulation.SetDefaultBackgroundColorOverrideParams{Color: nothing})
	return chromedp.Void{}, err
}
