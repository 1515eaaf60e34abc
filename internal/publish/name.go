package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/report"
)

// fileName is the name of a report's file, such as weekly_2026-W46_growth.html, and of a later edition weekly_2026-W46.2_growth.html.
// It holds letters, digits, dots, hyphens and underscores, and differs between reports that differ.
func fileName(plan, owner, period string, edition int, f report.Format) string {
	name := slug(plan) + "_" + slug(period)
	if edition > 1 {
		name += fmt.Sprintf(".%d", edition)
	}
	if owner != "" {
		name += "_" + slug(owner)
	}
	return name + "." + string(f)
}

// maxSlug bounds a part of a file's name.
const maxSlug = 60

// slug makes a name fit for files: letters, digits, dots and hyphens stay, all else becomes a hyphen. What was changed gets a
// part of its hash, so that two names stay two.
func slug(name string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		}
		return '-'
	}, name)
	kept = strings.TrimLeft(kept[:min(len(kept), maxSlug)], ".-")
	if kept == name {
		return kept
	}
	return strings.TrimLeft(kept+"-"+hash(name)[:8], "-")
}

// hash names something that may hold anything, so that what is different has different names.
func hash(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))[:32]
}

// FileName is what a report is called where it is saved.
func FileName(k *Kept, f report.Format) string {
	return fileName(k.Name, k.Owner, k.Period, k.Edition, f)
}

// id names an issue for those who drop what they have seen: it is the same each time that its delivery is tried.
func (i *Issue) id() string {
	return hash(i.Plan, i.Report.Owner, i.Report.Period.ID(), fmt.Sprint(i.Edition, i.Due.UnixMilli()))
}
