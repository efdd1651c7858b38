// Package gc keeps the garbage collector out of where it would trap.
//
// The collector reads the clock, which is the host's. But while the host puts an argument, or what
// an import gave, into the guest's memory, the guest must not call the host; and finding room for
// it may set off a collection. So the collector sleeps until an export lets it work, and sleeps
// again around imports.
package gc

import "runtime/debug"

func init() { debug.SetGCPercent(-1) }

// Allow lets the collector work until the function that it returns is called.
func Allow() (undo func()) { return set(100) }

// Forbid keeps the collector asleep until the function that it returns is called. It waits for the
// end of a collection that has begun.
func Forbid() (undo func()) { return set(-1) }

func set(percent int) (undo func()) {
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}
