package idp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// tokenModes are wrong answers of the token endpoint, RFC 6749 §5, and some of the
// revocation and userinfo endpoints that only they can give.
var tokenModes = map[string]mode{
	"invalid-grant":        refuses(badGrant("the session has ended")),
	"invalid-client":       refuses(badClient("the client is not known")),
	"interaction-required": refuses(&refusal{400, "interaction_required", "the person is needed"}),
	"bad-refresh-token": at(atToken, func(x *exchange) { // as GitHub has it
		x.refuse(&refusal{http.StatusOK, "bad_refresh_token", "incorrect or expired"})
	}),
	"token-error-200": at(atToken, func(x *exchange) {
		x.refuse(&refusal{http.StatusOK, "invalid_request", "not today"})
	}),
	"token-error-500":    refuses(&refusal{500, "server_error", "try later"}),
	"token-error-429":    refuses(&refusal{429, "slow_down", "not so fast"}),
	"token-error-final":  refuses(&refusal{500, "invalid_scope", "no such scope"}),
	"token-error-object": at(atToken, says("application/json", `{"error":{"code":400}}`)),
	"token-error-empty":  at(atToken, func(x *exchange) { x.json(400, map[string]any{"error": ""}) }),
	"token-echo":         at(atToken, func(x *exchange) { x.refuse(badGrant("not accepted: " + x.r.PostForm.Encode())) }),
	"token-echo-percent": at(atToken, func(x *exchange) { x.refuse(badGrant("not accepted: " + percent(x.r.PostForm.Encode()))) }),
	"token-echo-base64":  at(atToken, func(x *exchange) { x.refuse(badGrant("not accepted: " + based(x.r.PostForm.Encode()))) }),
	"token-echo-code":    at(atToken, func(x *exchange) { x.refuse(&refusal{400, "bad_" + x.r.PostForm.Encode(), ""}) }),
	"token-echo-type":    {answer: func(x *exchange, a map[string]any) { a["token_type"] = x.r.PostForm.Encode() }},
	"token-echo-noise":   at(atToken, func(x *exchange) { x.hijacked(x.r.PostForm.Encode() + "\r\n\r\n") }),
	"token-echo-header":  at(atToken, func(x *exchange) { x.hijacked("HTTP/1.1 200 OK\r\n" + x.r.PostForm.Encode() + "\r\n\r\n") }),
	"token-echo-status":  at(atToken, func(x *exchange) { x.hijacked("HTTP/1.1 " + x.r.PostForm.Encode() + "\r\n\r\n") }),
	"token-echo-place": at(atToken, func(x *exchange) {
		x.hijacked("HTTP/1.1 302 Found\r\nLocation: http://[" + x.r.PostForm.Encode() + "\r\n\r\n")
	}),
	"token-echo-length": at(atToken, func(x *exchange) {
		x.hijacked("HTTP/1.1 200 OK\r\nContent-Length: " + x.r.PostForm.Encode() + "\r\n\r\n")
	}),
	"token-echo-behind": at(atToken, func(x *exchange) { // a good answer by the length that it says
		x.hijacked("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n" + `{"error":"invalid_grant"}` + "HTTP/1.1 200 OK " + x.r.PostForm.Encode() + "\r\n")
	}),
	"token-many-headers":  at(atToken, func(x *exchange) { x.w.Header().Set("X-Long", strings.Repeat("A", 1<<20)); x.w.WriteHeader(200) }),
	"token-redirect-301":  movedHere(301),
	"token-redirect-302":  movedHere(302),
	"token-redirect-303":  movedHere(303),
	"token-redirect-307":  movedHere(307),
	"token-redirect-308":  movedHere(308),
	"token-elsewhere-301": movedElsewhere(301),
	"token-elsewhere-302": movedElsewhere(302),
	"token-elsewhere-303": movedElsewhere(303),
	"token-elsewhere-308": movedElsewhere(308), // 307 is token-redirect-elsewhere
	"revoke-error":        at(atRevoke, func(x *exchange) { x.refuse(&refusal{400, "unsupported_token_type", "not this one"}) }),
	"revoke-spent":        at(atRevoke, func(x *exchange) { x.refuse(&refusal{400, "invalid_token", "expired or revoked"}) }), // as Google has it
	"revoke-echo":         at(atRevoke, func(x *exchange) { x.refuse(badRequest("not accepted: " + x.r.PostForm.Encode())) }),
	"userinfo-echo":       at(atUserinfo, func(x *exchange) { x.refuse(badRequest("not accepted: " + x.r.Header.Get("Authorization"))) }),
	"userinfo-jwt":        at(atUserinfo, func(x *exchange) { x.w.Write([]byte(unsigned(x, []byte(`{"sub":"somebody-else"}`)))) }),
	"userinfo-other-sub":  {userinfo: set("sub", "somebody-else")},
	"userinfo-no-sub":     {userinfo: without("sub")},
	"userinfo-sub-number": {userinfo: set("sub", 5)},

	"token-form":          {text: inAnswer(atToken, asForm)}, // as a few old providers answer
	"token-twice":         {text: inAnswer(atToken, func(_ *exchange, s string) string { return first(s, `"access_token":"another"`) })},
	"token-case":          {text: inAnswer(atToken, func(_ *exchange, s string) string { return last(s, `"Access_Token":"another"`) })},
	"token-case-only":     {text: inAnswer(atToken, func(_ *exchange, s string) string { return strings.Replace(s, `"access_token"`, `"ACCESS_TOKEN"`, 1) })},
	"token-tail":          {text: inAnswer(atToken, func(_ *exchange, s string) string { return s + "<html>" })},
	"no-access-token":     {answer: without("access_token")},
	"empty-access-token":  {answer: set("access_token", "")},
	"null-access-token":   {answer: set("access_token", nil)},
	"access-token-number": {answer: set("access_token", 5)},
	"access-token-list":   {answer: set("access_token", []string{"x"})},
	"mac-token":           {answer: set("token_type", "mac")},
	"dpop-token":          {answer: set("token_type", "DPoP")},
	"token-type-number":   {answer: set("token_type", 5)},
	"token-type-line":     {answer: set("token_type", "Bearer\r\nX-Evil: 1")},
	"no-token-type":       {answer: without("token_type")},
	"token-type-case":     {answer: set("token_type", "bEARER")},

	"text-expires-in":    {answer: set("expires_in", "3600")},
	"float-expires-in":   {answer: set("expires_in", 3600.5)},
	"past-expires-in":    {answer: set("expires_in", -3600)},
	"zero-expires-in":    {answer: set("expires_in", 0)},
	"null-expires-in":    {answer: set("expires_in", nil)},
	"huge-expires-in":    {answer: set("expires_in", int64(1)<<62)},
	"1e300-expires-in":   {answer: set("expires_in", 1e300)},
	"nan-expires-in":     {answer: set("expires_in", "NaN")},
	"word-expires-in":    {answer: set("expires_in", "soon")},
	"object-expires-in":  {answer: set("expires_in", map[string]int{"seconds": 3600})},
	"boolean-expires-in": {answer: set("expires_in", true)},

	"scope-escape":       {answer: set("scope", "openid \x1b[2J")},
	"scope-line":         {answer: set("scope", "openid\nhint: x")},
	"scope-list":         {answer: set("scope", []string{"openid"})}, // as one large provider has it
	"no-scope":           {answer: without("scope")},
	"no-refresh":         {answer: without("refresh_token")},
	"empty-refresh":      {answer: set("refresh_token", "")},
	"null-refresh":       {answer: set("refresh_token", nil)},
	"refresh-line":       {answer: set("refresh_token", "one\ntwo")},
	"refresh-number":     {answer: set("refresh_token", 5)},
	"access-space":       {answer: set("access_token", "one two")},
	"access-line":        {answer: set("access_token", "one\ntwo")},
	"access-header":      {answer: suffix("access_token", "\r\nX-Evil: 1")},
	"access-curl-output": {answer: suffix("access_token", "\"\noutput=/tmp/x")},
	"access-eval":        {answer: suffix("access_token", "'\n$(touch x)`touch x`")},
	"access-tab":         {answer: suffix("access_token", "\tx")},
	"access-nul":         {answer: suffix("access_token", "\x00x")},
	"access-delete":      {answer: suffix("access_token", "\x7f")},
	"access-accent":      {answer: suffix("access_token", "é")},
	"access-half-a-pair": {text: inAnswer(atToken, func(_ *exchange, s string) string {
		return strings.Replace(s, `"access_token":"`, `"access_token":"\ud800`, 1)
	})},
}

func refuses(e *refusal) mode { return at(atToken, func(x *exchange) { x.refuse(e) }) }

func movedHere(code int) mode {
	return at(atToken, func(x *exchange) { http.Redirect(x.w, x.r, x.url("elsewhere"), code) })
}

func movedElsewhere(code int) mode {
	return at(atToken, func(x *exchange) { http.Redirect(x.w, x.r, x.Elsewhere+"/token", code) })
}

// asForm is a good answer, and no JSON.
func asForm(x *exchange, answer string) string {
	x.w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
	form := url.Values{}
	for name, value := range asMap(json.RawMessage(answer)) {
		form.Set(name, fmt.Sprint(value))
	}
	return form.Encode()
}

// percent encodes every character.
func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
	}
	return b.String()
}

func based(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
