//go:build !linux

package e2e

import "errors"

func toTheKernel(string) error { return errors.ErrUnsupported }
