package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/mailbox"
)

// Settings decide how events are named. They may change while an Intake runs.
type Settings struct {
	// Identity finds a mail's campaign and tenant. A change applies to mail sent from then on: the ledger keeps the
	// versions.
	Identity campaign.Spec
	// Reporting lists the providers whose feedback loop reaches SES. A change applies to mail sent from then on.
	Reporting []string
	// Classifier names providers and reasons.
	Classifier *mailbox.Classifier
	// KeepBodies says whether quarantine keeps the bodies of messages.
	KeepBodies bool
}

// settings are Settings made ready, never changed once published.
type settings struct {
	history    *campaign.History
	classifier *mailbox.Classifier
	keepBodies bool
}

// Apply makes the settings those of all later Puts: it stores new versions of what is dated, and changes nothing when it
// returns an error.
func (in *Intake) Apply(ctx context.Context, s Settings) error {
	if _, err := s.Identity.Compile(); err != nil {
		return fmt.Errorf("identity rules: %w", err)
	}
	in.applying.Lock()
	defer in.applying.Unlock()
	identity, err := in.dated(ctx, ledger.VersionIdentity, s.Identity)
	if err != nil {
		return err
	}
	reporting := slices.Clone(s.Reporting)
	slices.Sort(reporting)
	if _, err := in.dated(ctx, ledger.VersionReporting, slices.Compact(reporting)); err != nil {
		return err
	}
	history, err := historyOf(identity)
	if err != nil {
		return err
	}
	in.settings.Store(&settings{history: history, classifier: s.Classifier, keepBodies: s.KeepBodies})
	return nil
}

// dated returns all versions of a setting, after adding value as the newest if it differs from the newest that there is.
// The first version of all holds for mail of any age, a later one for mail sent from now on.
func (in *Intake) dated(ctx context.Context, kind string, value any) ([]ledger.Version, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	versions, err := in.ledger.Versions(ctx, kind)
	if err != nil {
		return nil, fmt.Errorf("read versions of %s: %w", kind, err)
	}
	next := ledger.Version{Body: body, Since: time.Unix(0, 0).UTC()}
	if now := in.now().UTC(); len(versions) > 0 {
		next.Since = now
		// A version from further ahead was made by a clock that was wrong: it is not the one in force.
		n := len(versions)
		for n > 0 && versions[n-1].Since.Sub(now) >= maxAhead {
			n--
		}
		if n > 0 && bytes.Equal(versions[n-1].Body, body) {
			return versions, nil
		}
		// A clock that was set back a little must not put the newest version before the one that it replaces.
		if n > 0 && !now.After(versions[n-1].Since) {
			next.Since = versions[n-1].Since.Add(time.Millisecond)
		}
	}
	if err := in.ledger.AddVersion(ctx, kind, next); err != nil {
		return nil, fmt.Errorf("store version of %s: %w", kind, err)
	}
	return append(versions, next), nil
}

func historyOf(versions []ledger.Version) (*campaign.History, error) {
	dated := make([]campaign.Dated, 0, len(versions))
	for _, v := range versions {
		var spec campaign.Spec
		if err := json.Unmarshal(v.Body, &spec); err != nil {
			return nil, fmt.Errorf("identity rules of %s in the ledger: %w", v.Since.Format(time.RFC3339), err)
		}
		rules, err := spec.Compile()
		if err != nil {
			return nil, fmt.Errorf("identity rules of %s in the ledger: %w", v.Since.Format(time.RFC3339), err)
		}
		dated = append(dated, campaign.Dated{Since: v.Since, Rules: rules})
	}
	return campaign.NewHistory(dated), nil
}
