package web

import "bytes"

// lineWidth is how long an object or list may be to stay in one line.
const lineWidth = 200

// layout makes compact JSON readable in a terminal: what is short stays in one line, such as a rate with its interval, and
// only what is long is spread over several.
func layout(compact []byte) []byte {
	out := make([]byte, 0, len(compact)+len(compact)/2)
	out, _ = spread(out, compact, 0)
	return append(out, '\n')
}

// spread appends the value at the beginning of in, and returns what comes after the value.
func spread(out, in []byte, depth int) (_, rest []byte) {
	n := length(in)
	if in[0] != '{' && in[0] != '[' || n+2*depth <= lineWidth {
		return flat(out, in[:n]), in[n:]
	}
	closing := in[n-1]
	out = append(out, in[0])
	for rest = in[1:]; ; rest = rest[1:] { // past the comma
		out = newLine(out, depth+1)
		if closing == '}' {
			key := length(rest)
			out = append(append(out, rest[:key]...), ": "...)
			rest = rest[key+1:]
		}
		out, rest = spread(out, rest, depth+1)
		if rest[0] == closing {
			return append(newLine(out, depth), closing), rest[1:]
		}
		out = append(out, ',')
	}
}

func newLine(out []byte, depth int) []byte {
	out = append(out, '\n')
	for range depth {
		out = append(out, "  "...)
	}
	return out
}

// flat appends a value in one line, with a space after each comma and colon.
func flat(out, value []byte) []byte {
	for len(value) > 0 {
		if value[0] == '"' {
			n := length(value)
			out = append(out, value[:n]...)
			value = value[n:]
			continue
		}
		out = append(out, value[0])
		if value[0] == ',' || value[0] == ':' {
			out = append(out, ' ')
		}
		value = value[1:]
	}
	return out
}

// length is that of the value at the beginning of in, which is valid.
func length(in []byte) int {
	depth := 0
	for i := 0; i < len(in); i++ {
		switch in[i] {
		case '"':
			i += quoted(in[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return i // the end of what the value stands in
			}
		case ',', ':':
			if depth == 0 {
				return i
			}
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(in)
}

// quoted is the length of the text at the beginning of in, with its quotes.
func quoted(in []byte) int {
	for i := 1; ; i++ {
		i += bytes.IndexAny(in[i:], `"\`)
		if in[i] == '"' {
			return i + 1
		}
		i++ // what is escaped
	}
}
