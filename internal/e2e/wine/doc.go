// Package wine holds tests only: what is built for Windows, run by Wine. The provider is
// served by the test's own process; the browser, and whatever else is a Windows program
// of a person's, is person.
package wine
