package idp

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"
)

// control lets another process steer the provider: POST /test/options with a
// form of Options.Flags' names, POST /test/advance?by=1h, GET
// /test/count?of=token/refresh_token, GET /test/secrets. Off unless asked for.
func (x *exchange) control(endpoint string) {
	if !x.Control {
		http.NotFound(x.w, x.r)
		return
	}
	switch x.r.Method + " " + endpoint {
	case "POST test/options":
		x.outcome(x.configure())
	case "POST test/advance":
		d, err := time.ParseDuration(x.r.FormValue("by"))
		x.Advance(d)
		x.outcome(err)
	case "GET test/count":
		fmt.Fprintln(x.w, x.Count(x.r.FormValue("of")))
	case "GET test/secrets":
		x.json(http.StatusOK, x.Secrets())
	default:
		http.NotFound(x.w, x.r)
	}
}

func (x *exchange) outcome(err error) {
	if err != nil {
		http.Error(x.w, err.Error(), http.StatusBadRequest)
		return
	}
	x.w.WriteHeader(http.StatusNoContent)
}

// configure takes all of a form's options, or none.
func (x *exchange) configure() error {
	if err := x.r.ParseForm(); err != nil {
		return err
	}
	var failed error
	x.Set(func(o *Options) {
		edited := *o
		edited.Modes = maps.Clone(o.Modes)
		if failed = edited.apply(x.r.PostForm); failed == nil {
			*o = edited
		}
	})
	return failed
}

func (o *Options) apply(form map[string][]string) error {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.Flags(fs)
	for name, values := range form {
		for _, value := range values {
			if err := fs.Set(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}
