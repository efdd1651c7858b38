// Package logs reads and redacts a log of dpkg.
package logs

import (
	"strconv"
	"strings"
	"time"

	wit "go.bytecodealliance.org/pkg/wit/types"
	types "wit_component/example_logs_types"
)

// entry is what a line says, and when. What a line of its kind does not say is left out.
type entry struct {
	time     int64
	name     string // of the package
	state    wit.Option[types.State]
	action   wit.Option[types.Action]
	old, new string // versions, of an action
}

var actions = map[string]types.Action{
	"install":   types.ActionInstall,
	"upgrade":   types.ActionUpgrade,
	"configure": types.ActionConfigure,
	"trigproc":  types.ActionTrigproc,
	"disappear": types.ActionDisappear,
	"remove":    types.ActionRemove,
	"purge":     types.ActionPurge,
}

var states = map[string]types.State{
	"not-installed":    types.StateNotInstalled,
	"config-files":     types.StateConfigFiles,
	"half-installed":   types.StateHalfInstalled,
	"unpacked":         types.StateUnpacked,
	"half-configured":  types.StateHalfConfigured,
	"triggers-awaited": types.StateTriggersAwaited,
	"triggers-pending": types.StateTriggersPending,
	"installed":        types.StateInstalled,
}

// parse understands a line, or says what is wrong with it.
func parse(line string) (e entry, fault types.Fault, ok bool) {
	words := strings.Split(line, " ")
	if len(words) < 2 {
		return e, types.FaultTime, false
	}
	if e.time, ok = seconds(words[0], words[1]); !ok {
		return e, types.FaultTime, false
	}
	if len(words) < 3 {
		return e, types.FaultVerb, false
	}
	verb, rest := words[2], words[3:]
	switch verb {
	case "startup":
		return e, types.FaultFields, len(rest) == 2 && (rest[0] == "archives" || rest[0] == "packages")
	case "conffile":
		return e, types.FaultFields, len(rest) >= 2 && (rest[len(rest)-1] == "install" || rest[len(rest)-1] == "keep")
	case "status":
		if len(rest) != 3 {
			return e, types.FaultFields, false
		}
		state, known := states[rest[0]]
		e.state = wit.Some(state)
		e.name, ok = bare(rest[1])
		return e, types.FaultFields, known && ok
	}
	action, known := actions[verb]
	if !known {
		return e, types.FaultVerb, false
	}
	if len(rest) != 3 {
		return e, types.FaultFields, false
	}
	e.action = wit.Some(action)
	e.name, ok = bare(rest[0])
	e.old, e.new = rest[1], rest[2]
	return e, types.FaultFields, ok
}

// seconds since 1970. A day beyond its month counts on into the next.
func seconds(date, clock string) (int64, bool) {
	d, isDate := numbers(date, "-", 4, 2, 2)
	c, isClock := numbers(clock, ":", 2, 2, 2)
	if !isDate || !isClock {
		return 0, false
	}
	inYear := d[0] >= 1970 && d[1] >= 1 && d[1] <= 12 && d[2] >= 1 && d[2] <= 31
	inDay := c[0] < 24 && c[1] < 60 && c[2] < 60
	at := time.Date(d[0], time.Month(d[1]), d[2], c[0], c[1], c[2], 0, time.UTC)
	return at.Unix(), inYear && inDay
}

// numbers gives the three numbers that separator separates, each with this many digits.
func numbers(text, separator string, digits ...int) (found [3]int, ok bool) {
	for i, count := range digits {
		part, rest, more := strings.Cut(text, separator)
		if len(part) != count || !isNumber(part) || more != (i < len(digits)-1) {
			return found, false
		}
		found[i], _ = strconv.Atoi(part)
		text = rest
	}
	return found, true
}

// bare is the name without the architecture.
func bare(pkg string) (name string, ok bool) {
	name, _, _ = strings.Cut(pkg, ":")
	odd := func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune("+.-_", r) }
	return name, name != "" && strings.IndexFunc(name, odd) < 0
}

func isNumber(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !isDigit(r) }) < 0
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func isLower(r rune) bool { return 'a' <= r && r <= 'z' }

func isAlphanumeric(r rune) bool { return isDigit(r) || isLower(r) || 'A' <= r && r <= 'Z' }
