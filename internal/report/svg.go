package report

import (
	"bytes"
	"fmt"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// fittedSVG draws an SVG whose texts take the room that was measured for them, whatever font a reader has.
type fittedSVG struct {
	*vgsvg.Canvas
	widths []vg.Length
}

// FillString implements vg.Canvas.
func (c *fittedSVG) FillString(f font.Face, at vg.Point, text string) {
	c.widths = append(c.widths, f.Width(text))
	c.Canvas.FillString(f, at, text)
}

// fit tells the measured widths in the SVG, and fonts for those who do not have the one that was measured.
func (c *fittedSVG) fit(svg []byte) []byte {
	const text = "<text "
	parts := bytes.Split(svg, []byte(text)) // no text holds it: they are escaped
	var b bytes.Buffer
	for i, part := range parts {
		if i > 0 {
			fmt.Fprintf(&b, `%stextLength="%.1f" lengthAdjust="spacingAndGlyphs" `, text, c.widths[i-1].Points())
		}
		b.Write(part)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arimo,Arial,Helvetica,sans-serif;"))
}
