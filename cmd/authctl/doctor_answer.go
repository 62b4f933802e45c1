package main

import (
	"crypto/tls"
	"net/http"
	"strconv"
	"time"
)

// firstAnswer keeps what the provider's first answer says beside what was asked for.
type firstAnswer struct {
	next http.RoundTripper
	now  func() time.Time

	came  bool
	tls   *tls.ConnectionState // nil: plain http
	ahead time.Duration        // how far the provider's clock is ahead of ours
	dated bool                 // it said what time it is
}

// RoundTrip is for one request after the other.
func (f *firstAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := f.now()
	answer, err := f.next.RoundTrip(r)
	if err != nil || f.came {
		return answer, err
	}
	f.came, f.tls = true, answer.TLS
	if date, ok := dateOf(answer.Header); ok {
		answered := f.now()
		f.ahead, f.dated = date.Sub(asked.Add(answered.Sub(asked)/2)), true
	}
	return answer, nil
}

// dateOf is what time it is at the provider: what its Date says, and, where a cache
// answered, for how long it has said so. RFC 9110 §6.6.1, RFC 9111 §5.1.
func dateOf(h http.Header) (time.Time, bool) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}, false
	}
	age, err := strconv.Atoi(h.Get("Age"))
	if err != nil || age < 0 {
		age = 0
	}
	return date.Add(time.Duration(age)*time.Second + time.Second/2), true // it counts whole seconds
}
