// Package export_wit_world is what the world `example:logs/logs` exports itself.
package export_wit_world

import (
	wit "go.bytecodealliance.org/pkg/wit/types"
	types "wit_component/example_logs_types"
	"wit_component/gc"
	"wit_component/logs"
)

func Analyze(log string, options types.Options) wit.Result[types.Summary, types.ParseError] {
	gc.Collect()
	reader := logs.NewReader(options)
	reader.Feed(log)
	return reader.Finish()
}

func Redact(text string, what types.Secrets, mask rune) types.Redacted {
	gc.Collect()
	return logs.Redact(text, what, mask)
}
