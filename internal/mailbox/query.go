package mailbox

import "bytes"

// maxText is how much of a reply is looked at, in bytes. A cause stands near the start.
const maxText = 4096

// query is a reply as rules see it.
type query struct {
	// text is normalised. provider is the recipient's, platform whose rules apply to it; both may be empty.
	text               []byte
	provider, platform string
	// code is the reply code and status the packed enhanced status; either is 0 when there is none.
	code, status int
}

// class returns 4 or 5, that of the reply code, else that of the status; 0 when there is neither. The code comes first
// because it is what the sending server obeyed: SES's final 550 for an expired message carries status 4.4.7.
func (q *query) class() int {
	if q.code != 0 {
		return q.code / 100
	}
	if class := q.status / statusClass; class == 4 || class == 5 {
		return class
	}
	return 0
}

// newQuery reads code and status from a normalised text, which it changes in place; status, the event's, is used when the
// text holds none. It returns a value, not a pointer, so that the text may live on the caller's stack.
func newQuery(text []byte, status string) query {
	q := query{text: text, code: findCode(text), status: findStatus(text)}
	if q.status == 0 {
		q.status = findStatus([]byte(clip(status, 32)))
	}
	if q.code != 0 {
		q.text = joinLines(text, q.status)
	}
	return q
}

// normalise appends text to dst in the form that rules are written in: lower case, without "smtp;" before it, without
// control characters, blanks collapsed, and with every address reduced to "@", so that no rule sees words in it (somebody
// is called "vacation@"). It never grows the text.
func normalise(dst []byte, text string) []byte {
	text = dropType(clip(text, maxText))
	start := len(dst)
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case b <= ' ' || b == 0x7f:
			if len(dst) > start && dst[len(dst)-1] != ' ' {
				dst = append(dst, ' ')
			}
		case b == '@':
			for len(dst) > start && isLocal(dst[len(dst)-1]) {
				dst = dst[:len(dst)-1]
			}
			dst = append(dst, '@')
			for i+1 < len(text) && (isAlnum(text[i+1]) || text[i+1] == '-' ||
				text[i+1] == '.' && i+2 < len(text) && isAlnum(text[i+2])) {
				i++
			}
		default:
			dst = append(dst, lower(b))
		}
	}
	return bytes.TrimRight(dst, " ")
}

// dropType cuts the type of a Diagnostic-Code field (RFC 3464 section 2.3.6), "smtp;" or "x-postfix;".
func dropType(text string) string {
	for {
		i := 0
		for i < len(text) && text[i] <= ' ' {
			i++
		}
		text = text[i:]
		end := 0
		for end < len(text) && end < 32 && (isAlnum(text[end]) || text[end] == '-') {
			end++
		}
		if end == len(text) || text[end] != ';' || !hasPrefixFold(text, "smtp;") && !hasPrefixFold(text, "x-") {
			return text
		}
		text = text[end+1:]
	}
}

// joinLines removes what a reply of several lines repeats on each: "550-5.1.1 The account 550-5.1.1 does not" becomes
// "550 5.1.1 the account does not". The first line keeps its code. It changes text in place.
func joinLines(text []byte, status int) []byte {
	if len(text) < 4 || findCodeAt(text, 0) == 0 {
		return text
	}
	if text[3] == '-' {
		text[3] = ' '
	}
	repeat := [4]byte{' ', text[0], text[1], text[2]}
	kept, rest := text[:3], text[3:]
	for {
		i := bytes.Index(rest, repeat[:])
		if i < 0 || i+4 >= len(rest) {
			return append(kept, rest...)
		}
		end := i + 4
		if sep := rest[end]; sep == '-' || sep == ' ' {
			n, after := parseStatus(string(clipBytes(rest[end+1:], 12)))
			if n == status && n != 0 {
				end += 1 + min(len(rest)-end-1, 12) - len(after)
			} else if sep == '-' && n == 0 {
				end++
			}
		}
		if end == i+4 { // The code of another thing, or of an inner reply: it stays.
			kept, rest = append(kept, rest[:end]...), rest[end:]
			continue
		}
		kept, rest = append(kept, rest[:i]...), rest[end:]
		if len(rest) > 0 && rest[0] != ' ' {
			kept = append(kept, ' ')
		}
	}
}

// innerReply returns the reply that another quotes after its own words: "message expired: …<421 4.4.1 …>", or the older
// "unknown address error 550-'5.1.1 …'", whose rule ends in the code. at is where the rule's text was found.
func innerReply(text []byte, match string, at int) []byte {
	end := at + len(match)
	if n := len(match); n > 4 && match[n-1] == '-' && findCodeAt(text, end-4) != 0 {
		return text[end-4:]
	}
	for i := end; i < len(text); i++ {
		if text[i] == '<' && i+1 < len(text) && findCodeAt(text, i+1) != 0 {
			return bytes.TrimSuffix(text[i+1:], []byte(">"))
		}
	}
	return nil
}

// findCode returns the first reply code of class 4 or 5 in the text, 0 when there is none.
func findCode(text []byte) int {
	for i := range text {
		if i == 0 || !isAlnum(text[i-1]) && text[i-1] != '.' {
			if code := findCodeAt(text, i); code != 0 {
				return code
			}
		}
	}
	return 0
}

// findCodeAt returns the reply code that stands at i, which a blank, a hyphen or the end must follow.
func findCodeAt(text []byte, i int) int {
	if i+3 > len(text) || text[i] != '4' && text[i] != '5' || !isDigit(text[i+1]) || !isDigit(text[i+2]) {
		return 0
	}
	if i+3 < len(text) && text[i+3] != ' ' && text[i+3] != '-' {
		return 0
	}
	return int(text[i]-'0')*100 + int(text[i+1]-'0')*10 + int(text[i+2]-'0')
}

// statusClass and statusSubject are the units in which an enhanced status (RFC 3463) is packed: 5.7.26 is 5_007_026.
const (
	statusClass   = 1_000_000
	statusSubject = 1_000
)

// findStatus returns the first enhanced status in the text, packed; 0 when there is none.
func findStatus(text []byte) int {
	for i := range text {
		if text[i] != '2' && text[i] != '4' && text[i] != '5' || i+1 >= len(text) || text[i+1] != '.' ||
			i > 0 && (isAlnum(text[i-1]) || text[i-1] == '.') {
			continue
		}
		n, rest := parseStatus(string(clipBytes(text[i:], 12)))
		if n != 0 && (rest == "" || !isAlnum(rest[0]) && (rest[0] != '.' || len(rest) == 1 || !isDigit(rest[1]))) {
			return n
		}
	}
	return 0
}

// parseStatus reads an enhanced status at the start of text; n is 0 when there is none.
func parseStatus(text string) (n int, rest string) {
	if len(text) < 2 || text[0] < '2' || text[0] > '5' || text[1] != '.' {
		return 0, text
	}
	subject, after, ok := number(text[2:])
	if !ok || after == "" || after[0] != '.' {
		return 0, text
	}
	detail, after, ok := number(after[1:])
	if !ok {
		return 0, text
	}
	return int(text[0]-'0')*statusClass + subject*statusSubject + detail, after
}

// number reads one to three digits.
func number(text string) (n int, rest string, ok bool) {
	i := 0
	for i < len(text) && i < 3 && isDigit(text[i]) {
		n = n*10 + int(text[i]-'0')
		i++
	}
	return n, text[i:], i > 0 && (i == len(text) || !isDigit(text[i]))
}
