// Package export_example_logs_sessions is the exported interface `sessions`.
package export_example_logs_sessions

import (
	"runtime"

	wit "go.bytecodealliance.org/pkg/wit/types"
	types "wit_component/example_logs_types"
	"wit_component/gc"
	"wit_component/logs"
)

// Session is the analysis of one log.
type Session struct {
	reader *logs.Reader
	// What the bindings ask of a resource.
	pinner runtime.Pinner
	handle int32
}

func MakeSession(options types.Options) *Session {
	gc.Collect()
	return &Session{reader: logs.NewReader(options)}
}

func (s *Session) Settings() types.Options { return s.reader.Options }

func (s *Session) Feed(text string) uint64 {
	gc.Collect()
	return s.reader.Feed(text)
}

func (s *Session) Finish() wit.Result[types.Summary, types.ParseError] {
	gc.Collect()
	return s.reader.Finish()
}

// OnDrop is called when the host drops the session.
func (s *Session) OnDrop() {}
