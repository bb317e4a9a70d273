package states

import "strings"

// Lengths of a role session's name.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const minSession, maxSession = 2, 64

// sessionName is an execution's name as that of a role session, which may have fewer characters than an execution's.
func sessionName(execution string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_+=,.@-", r):
			return r
		}
		return '_'
	}, execution)
	if len(name) < minSession {
		name += "_"
	}
	return name[:min(len(name), maxSession)]
}
