package callback

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	l, err := Listen("http://127.0.0.1/callback", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		r, err := l.Wait(context.Background(), "abc")
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(100 * time.Millisecond)
		r.Finish(context.Background(), Page{OK: true, Title: "Signed in"})
		l.Close()
	}()
	resp, err := http.Get(l.RedirectURI() + "?code=x&state=abc")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	t.Log(resp.Status, resp.Header, resp.Request.URL, string(b), err)
}
