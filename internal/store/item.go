package store

import (
	"encoding/base64"
	"path/filepath"
	"strings"
)

// itemPrefix opens an item that is not the secret itself. A secret that happens to
// begin so is sealed, which keeps the two apart.
const itemPrefix = "authctl-sealed:"

// sealedItem is what a keychain item holds for a sealed secret, as the text
// authctl-sealed:1:FILE:KEY. The key is made with the file and stays as long as it.
type sealedItem struct {
	file string // its name in the directory of sealed files
	key  []byte
}

func newSealedItem(name string) sealedItem {
	return sealedItem{file: filePrefix("keychain", name) + randomText(), key: newKey()}
}

func (i sealedItem) String() string {
	return itemPrefix + "1:" + i.file + ":" + base64.StdEncoding.EncodeToString(i.key)
}

// parseItem tells a sealed secret from one that is the item's text itself. An item
// names a file of its own secret only: nobody who edits one leads us elsewhere.
func parseItem(name, text string) (item sealedItem, sealed bool, err error) {
	rest, sealed := strings.CutPrefix(text, itemPrefix)
	if !sealed {
		return sealedItem{}, false, nil
	}
	version, rest, _ := strings.Cut(rest, ":")
	if version != "1" {
		return sealedItem{}, true, damaged("its keychain item is of another version of authctl")
	}
	file, encoded, _ := strings.Cut(rest, ":")
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	own := strings.HasPrefix(file, filePrefix("keychain", name)) && filepath.Base(file) == file
	if err != nil || len(key) != keySize || !own {
		return sealedItem{}, true, damaged("its keychain item was changed")
	}
	return sealedItem{file: file, key: key}, true, nil
}
