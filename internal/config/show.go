package config

// Header returns the line that begins a profile's table.
func Header(profile string) string { return "[profile." + bareOrQuoted(profile) + "]" }

// Line returns the line that sets key to value in a table; value is one of Settings.
func Line(key string, value any) string { return key + " = " + literal(value) }
