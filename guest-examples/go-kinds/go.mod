module wit_component

go 1.25

require (
	go.bytecodealliance.org/pkg v0.2.2
	log_reader v0.0.0
)

// For its package gc. It calls itself wit_component too, as each guest must.
replace log_reader => ../go
