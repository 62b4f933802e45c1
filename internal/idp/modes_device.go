package idp

import "strings"

// deviceModes are wrong answers to a device that wants to sign in, and to its polls, RFC
// 8628 §3.2 and §3.5.
var deviceModes = map[string]mode{
	"device-forbidden": at(atDevice, func(x *exchange) { x.refuse(&refusal{400, "unauthorized_client", "not for this client"}) }),
	"device-form":      {text: inAnswer(atDevice, asForm)}, // as GitHub answers whoever doesn't ask for JSON
	"device-no-code":   {device: without("user_code")},
	"device-escape":    {device: set("user_code", "WDJB\x1b[2J-MJHT")},
	"device-long-code": {device: set("user_code", strings.Repeat("W", 500))},
	"device-http":      {device: set("verification_uri", "http://device.invalid/")},
	"device-script":    {device: set("verification_uri_complete", "javascript:alert(1)")},
	"device-over":      {device: set("expires_in", 0)},
	"device-impatient": {device: set("interval", -1)},
	"device-odd-pace":  {device: set("interval", "when you like")},
	"slow-down":        {poll: "slow_down"},
	"device-expired":   {poll: "expired_token"},
}
