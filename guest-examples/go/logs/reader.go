package logs

import (
	"cmp"
	"slices"
	"strings"

	wit "go.bytecodealliance.org/pkg/wit/types"
	lookup "wit_component/example_logs_lookup"
	types "wit_component/example_logs_types"
)

type (
	span   = wit.Tuple2[int64, int64]
	result = wit.Result[types.Summary, types.ParseError]
)

// Reader reads a log in pieces and sums it up.
type Reader struct {
	Options  types.Options
	partial  string // a line that has no end yet
	lines    uint64
	entries  uint32
	unknown  uint32
	firstBad *types.BadLine
	span     span
	actions  [types.ActionPurge + 1]uint32
	packages map[string]*types.Activity
	pauses   []types.Pause
}

// NewReader makes a reader that has read nothing.
func NewReader(options types.Options) *Reader {
	return &Reader{Options: options, packages: map[string]*types.Activity{}}
}

// Feed reads on, from within a line if need be, and counts the lines so far.
func (r *Reader) Feed(text string) uint64 {
	for {
		line, rest, found := strings.Cut(text, "\n")
		if !found {
			break
		}
		r.read(r.partial + line)
		r.partial, text = "", rest
	}
	r.partial += text
	return r.lines
}

// Finish ends an unfinished line and sums up everything so far.
func (r *Reader) Finish() result {
	if r.partial != "" {
		r.Feed("\n")
	}
	if r.lines == 0 {
		return fail(types.MakeParseErrorEmpty())
	}
	if r.Options.Strict && r.firstBad != nil {
		return fail(types.MakeParseErrorLine(*r.firstBad))
	}
	summary := types.Summary{
		Lines:    r.lines,
		Entries:  r.entries,
		Unknown:  r.unknown,
		PerHour:  float64(r.entries) * 3600 / float64(r.span.F1-r.span.F0),
		Packages: uint32(len(r.packages)),
		Busiest:  r.busiest(),
		Pauses:   r.pauses,
	}
	if r.entries > 0 {
		summary.Span = wit.Some(r.span)
	}
	for action, count := range r.actions {
		if count > 0 {
			summary.Actions = append(summary.Actions, wit.Tuple2[types.Action, uint32]{F0: types.Action(action), F1: count})
		}
	}
	if refusal := label(summary.Busiest); refusal != nil {
		return fail(types.MakeParseErrorLookup(*refusal))
	}
	return wit.Ok[types.Summary, types.ParseError](summary)
}

func fail(err types.ParseError) result { return wit.Err[types.Summary](err) }

func (r *Reader) read(line string) {
	line = strings.TrimSuffix(line, "\r")
	r.lines++
	if r.lines <= r.Options.Skip || line == "" {
		return
	}
	entry, fault, ok := parse(line)
	switch {
	case !ok:
		r.unknown++
		if r.firstBad == nil {
			r.firstBad = &types.BadLine{Number: r.lines, Fault: fault, Text: strings.Clone(line)}
		}
	case r.Options.Since.IsNone() || entry.time >= r.Options.Since.Some():
		r.count(entry)
	}
}

func (r *Reader) count(e entry) {
	r.entries++
	if r.entries == 1 {
		r.span = span{F0: e.time, F1: e.time}
	}
	after := r.span.F1
	r.span.F1 = e.time
	if seconds := float64(e.time - after); r.entries > 1 && seconds > r.Options.Quiet {
		r.pauses = append(r.pauses, types.Pause{After: after, Seconds: seconds})
	}
	if e.name == "" {
		return
	}
	known := r.packages[e.name]
	if known == nil {
		// A copy, because the name is a part of the whole text and would keep it.
		known = &types.Activity{Name: strings.Clone(e.name)}
		r.packages[known.Name] = known
	}
	known.Entries++
	if e.state.IsSome() {
		known.State = e.state
	}
	if e.action.IsSome() {
		r.actions[e.action.Some()]++
		if change, ok := change(e); ok {
			known.History = append(known.History, wit.Tuple2[int64, types.Change]{F0: e.time, F1: change})
		}
	}
}

func change(e entry) (types.Change, bool) {
	switch e.action.Some() {
	case types.ActionInstall:
		return types.MakeChangeInstalled(strings.Clone(e.new)), true
	case types.ActionUpgrade:
		versions := wit.Tuple2[string, string]{F0: strings.Clone(e.old), F1: strings.Clone(e.new)}
		return types.MakeChangeUpgraded(versions), true
	case types.ActionRemove, types.ActionDisappear:
		return types.MakeChangeRemoved(strings.Clone(e.old)), true
	case types.ActionPurge:
		return types.MakeChangePurged(), true
	}
	return types.Change{}, false
}

// busiest describes the packages with the most entries, in that order, then by name.
func (r *Reader) busiest() []types.Activity {
	all := make([]types.Activity, 0, len(r.packages))
	for _, known := range r.packages {
		all = append(all, *known)
	}
	slices.SortFunc(all, func(a, b types.Activity) int {
		return cmp.Or(cmp.Compare(b.Entries, a.Entries), strings.Compare(a.Name, b.Name))
	})
	return all[:min(uint64(len(all)), uint64(r.Options.Top))]
}

// label asks the host for the labels of packages.
func label(packages []types.Activity) *types.Refusal {
	for i := range packages {
		answer := lookup.Label(packages[i].Name)
		if answer.IsErr() {
			refusal := answer.Err()
			return &refusal
		}
		packages[i].Label = answer.Ok()
	}
	return nil
}
