package event

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// lenient are the options under which everything is decoded: what SES hands over from mail headers and SMTP replies may
// hold anything, and an event is not lost for a broken character in a subject.
func lenient() json.Options {
	return json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// decode fills dst from text; path leads to text and ends in a dot unless it is empty.
func decode(text []byte, path string, dst any) fault {
	err := json.Unmarshal(text, dst, lenient())
	if err == nil {
		return fault{}
	}
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		return badField(path+fieldOf(wrong.JSONPointer), "has the wrong type")
	}
	return fault{collectors.ReasonNotJSON, "the text is not a JSON object"}
}

// fieldOf writes a pointer as this package writes paths, without the indexes. A message tag is named by the sender, so that
// a path to one ends at mail.tags.
func fieldOf(pointer jsontext.Pointer) string {
	var path []string
	for name := range pointer.Tokens() {
		if strings.Trim(name, "0123456789") == "" {
			continue
		}
		path = append(path, name)
		if name == "tags" {
			break
		}
	}
	return strings.Join(path, ".")
}

// UnmarshalJSONFrom reads the array of objects that SES writes headers as.
func (h *headers) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var list []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	if err := json.UnmarshalDecode(dec, &list); err != nil {
		return err
	}
	*h = make(headers, len(list))
	for i := range list {
		(*h)[i] = observation.Field(list[i])
	}
	return nil
}

// UnmarshalJSONFrom reads the object of arrays that SES writes tags as, and keeps its order, which a map would lose.
func (t *tags) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*t = nil
	if dec.PeekKind() != '{' {
		var none map[string][]string
		return json.UnmarshalDecode(dec, &none)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		field := observation.Field{Name: name.String()}
		var values []string
		if err := json.UnmarshalDecode(dec, &values); err != nil {
			return err
		}
		for _, field.Value = range values {
			*t = append(*t, field)
		}
	}
	_, err := dec.ReadToken()
	return err
}
