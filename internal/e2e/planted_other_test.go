//go:build !linux

package e2e

import "errors"

func toKernel(string) error { return errors.ErrUnsupported }
