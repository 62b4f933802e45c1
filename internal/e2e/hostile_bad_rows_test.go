package e2e

import "github.com/authctl/authctl/internal/idp"

// badAnswers are what becomes of an answer that no endpoint should give. For one that
// can't be read each endpoint has words of its own.
func badAnswers(endpoint, unreadable string) []hostile {
	return []hostile{
		{mode: endpoint + "-500", code: 6, says: "answered 500"},
		{mode: endpoint + "-503", code: 6, says: "answered 503"},
		{mode: endpoint + "-429", code: 6, says: "answered 429"},
		{mode: endpoint + "-408", code: 6, says: "answered 408"},
		{mode: endpoint + "-403", code: 4, says: "answered 403"},
		{mode: endpoint + "-204", code: 4, says: unreadable},
		{mode: endpoint + "-html", code: 4, says: unreadable},
		{mode: endpoint + "-empty", code: 4, says: unreadable},
		{mode: endpoint + "-null", code: 4, says: unreadable},
		{mode: endpoint + "-array", code: 4, says: unreadable},
		{mode: endpoint + "-word", code: 4, says: unreadable},
		{mode: endpoint + "-half", code: 4, says: unreadable},
		{mode: endpoint + "-deep", code: 4, says: unreadable},
		{mode: endpoint + "-huge", code: 4, says: "larger than 1 MiB"},
		{mode: endpoint + "-endless", code: 4, says: "larger than 1 MiB"},
		{mode: endpoint + "-bomb", code: 4, says: "larger than 1 MiB"},
		{mode: endpoint + "-down", code: 6, says: "the connection ended before the answer did"},
		{mode: endpoint + "-cut", code: 6, says: "the connection ended before the answer did"},
		{mode: endpoint + "-chunk", code: 6, says: "invalid"},
		{mode: endpoint + "-noise", code: 6, says: "malformed HTTP"},
		{mode: endpoint + "-redirect-loop", code: 4, says: "redirect"},
		{mode: endpoint + "-redirect-elsewhere", code: 4, says: "redirect"},
		{mode: endpoint + "-redirect-nowhere", code: 6, says: "Location"},
	}
}

// lateAnswers never end: login's own time-out does it.
func lateAnswers(endpoint string) []hostile {
	patient := []string{"--timeout", lateness.String()}
	return []hostile{
		{mode: endpoint + "-hang", code: 6, says: "timed out", args: patient},
		{mode: endpoint + "-slow", code: 6, says: "timed out", args: patient},
	}
}

// borneAs are rows for which failing is no more than a warning.
func borneAs(warning string, rows []hostile, with func(*idp.Options)) []hostile {
	for i := range rows {
		rows[i].code, rows[i].says, rows[i].with = 0, warning+".*"+rows[i].says, with
	}
	return rows
}

// allFrom says for every row what must have been asked for.
func allFrom(endpoint string, rows []hostile) []hostile {
	for i := range rows {
		rows[i].arrives = endpoint
	}
	return rows
}
