package atomicfile

import (
	"bytes"
	"path/filepath"
	"sync"
	"testing"
)

// Nobody who reads meanwhile gets an error, or a part; and no reader keeps the writer out.
func TestReadWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	content := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i%2)}, 8<<10) }
	if err := Write(path, content(0)); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				data, err := Read(path)
				if err != nil || !bytes.Equal(data, content(0)) && !bytes.Equal(data, content(1)) {
					t.Errorf("got %d bytes, %v, want one content or the other", len(data), err)
					return
				}
			}
		})
	}
	for i := range 30 {
		if err := Write(path, content(i)); err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	close(done)
	readers.Wait()
}
