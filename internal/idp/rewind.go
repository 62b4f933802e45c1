package idp

// Mark returns a function that takes the provider back to the tokens that it knows
// now: what was issued since is forgotten, what was spent or revoked is good again. For
// a test that sees the same token spent again and again.
func (s *Server) Mark() (back func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens, grants, secrets := map[string]token{}, map[*grant]grant{}, len(s.secrets)
	for text, t := range s.tokens {
		tokens[text], grants[t.grant] = *t, *t.grant
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for text, t := range s.tokens {
			was, known := tokens[text]
			if !known {
				delete(s.tokens, text)
				continue
			}
			*t, *t.grant = was, grants[was.grant]
		}
		s.secrets = s.secrets[:secrets]
	}
}
