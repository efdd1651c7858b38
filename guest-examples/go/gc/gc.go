// Package gc keeps the garbage collector out of where it would trap.
//
// The collector reads the clock, which is the host's. But while the host puts an argument, or what
// an import gave, into the guest's memory, the guest must not call the host; and finding room for
// it may set off a collection. So nothing sets one off: exports ask for it as they start.
package gc

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// slack is how much garbage there may be before it is worth a collection.
const slack = 4 << 20

var (
	heap  = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	limit = uint64(slack)
)

func init() { debug.SetGCPercent(-1) }

// Collect collects garbage if there is more of it than of anything else.
func Collect() {
	if inUse() < limit {
		return
	}
	// A collection that did not have a goal would leave Go to give memory back to the system just
	// when it needs more, and to time that: the clock again.
	debug.SetGCPercent(100)
	runtime.GC()
	debug.SetGCPercent(-1)
	limit = 2*inUse() + slack
}

func inUse() uint64 {
	metrics.Read(heap)
	return heap[0].Value.Uint64()
}
