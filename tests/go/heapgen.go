// Heapgen makes a heap of chosen shapes, dumps it, collects it, and dumps what the collector kept.
//
//	heapgen OUT SHAPES SEED N
//
// It writes OUT.before and OUT.after around one runtime.GC().  SHAPES is a comma-separated list of
//
//	list        a singly linked list of N links, held by a global
//	tree        a binary tree of about N branches, held by a global
//	map         a map from strings to some of N boxes, held by a global
//	graph       N vertices with drawn edges, some of them to the inside of a vertex, held by a slice of a quarter of them
//	slices      slices of slices of pointers, with pointers into the middle of the arrays behind them
//	parked      goroutines that wait for ever, each holding a list in its frames
//	locals      the same, with the lists in local variables whose address was taken, some of them by a callee's variable
//	deferred    goroutines that wait with calls deferred and, half of them, in a panic, holding lists by nothing else
//	finalizers  N/100 objects with finalizers whose closures hold more, half of the objects garbage
//
// Each shape also leaves garbage of its own kind.  What is drawn depends on SEED alone.  For two dumps that can be
// compared, both files are open before the first dump, the collector runs when asked and never else, and all other
// goroutines are parked.  The finalizers of garbage are queued by the collection; the first that runs never returns, so
// that the others are still queued in the second dump.
package main

import (
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
)

type link struct {
	next *link
	load [2]uint64
}

type branch struct {
	weight      int64
	left, right *branch
}

type box struct {
	label string
	any   interface{}
}

type vertex struct {
	out    []*vertex
	number int64
	inside *int64
	marks  [5]int64
}

type guarded struct {
	held *link
	id   int
}

// What lives: everything that a shape builds and wants kept.
var (
	lists  []*link
	trees  []*branch
	maps   []map[string]*box
	graphs [][]*vertex
	tables [][]**link
	guards []*guarded
)

var (
	forever = make(chan struct{})
	waiting int32
	begun   int32
)

func makeList(n int) *link {
	var head *link
	for i := 0; i < n; i++ {
		head = &link{next: head, load: [2]uint64{uint64(i), 1}}
	}
	return head
}

func makeTree(r *rand.Rand, n int) *branch {
	if n <= 0 {
		return nil
	}
	left := r.Intn(n)
	if n > 64 { // drawn trees are deep only near their leaves
		left = n / 2
	}
	return &branch{int64(n), makeTree(r, left), makeTree(r, n-1-left)}
}

func makeMap(r *rand.Rand, n int) map[string]*box {
	m := map[string]*box{}
	var last *box
	for i := 0; i < n; i++ {
		b := &box{label: "box " + strconv.Itoa(i)}
		if last != nil && r.Intn(3) == 0 {
			b.any = last
		}
		if r.Intn(2) == 0 {
			m[b.label] = b
		}
		last = b
	}
	return m
}

func makeGraph(r *rand.Rand, n int) []*vertex {
	all := make([]*vertex, n)
	for i := range all {
		all[i] = &vertex{number: int64(i)}
	}
	for _, v := range all {
		for k := r.Intn(4); k > 0; k-- {
			v.out = append(v.out, all[r.Intn(n)])
		}
		if r.Intn(3) == 0 {
			v.inside = &all[r.Intn(n)].marks[r.Intn(5)]
		}
	}
	return append([]*vertex(nil), all[:n/4+1]...)
}

func makeTable(r *rand.Rand, n int) []**link {
	var into []**link
	for made := 0; made < n; {
		row := make([]*link, 1+r.Intn(40))
		for i := range row {
			row[i] = makeList(1 + r.Intn(2))
			made += 2
		}
		if r.Intn(4) > 0 {
			into = append(into, &row[r.Intn(len(row))])
		}
	}
	return into
}

//go:noinline
func park(head *link, depth int) int {
	if depth > 0 {
		return park(head.next, depth-1) + int(head.load[0])
	}
	atomic.AddInt32(&waiting, 1)
	<-forever
	return int(head.load[0])
}

type pair struct {
	first, second *link
	above         *pair
}

//go:noinline
func parkLocal(above *pair, n, depth int) int {
	local := pair{makeList(n), makeList(1), above} // its address goes to a callee, but not to the heap
	if depth > 0 {
		return parkLocal(&local, 2, depth-1) + int(local.first.load[0])
	}
	return parkHolding(&local)
}

//go:noinline
func parkHolding(p *pair) int {
	atomic.AddInt32(&waiting, 1)
	<-forever
	sum := 0
	for ; p != nil; p = p.above {
		sum += int(p.first.load[0] + p.second.load[0])
	}
	return sum
}

//go:noinline
func parkDeferred(n int, panics bool) {
	for i := 0; i < 3; i++ { // deferred in a loop: on the heap
		held := pair{first: makeList(n / 4)}
		defer func() { atomic.AddInt32(&begun, int32(held.first.load[0])) }()
	}
	last := makeList(n / 4)
	defer func() { atomic.AddInt32(&begun, int32(last.load[0])) }() // deferred once: on the stack
	if panics {
		defer park(makeList(6), 2)
		panic(makeList(n / 4))
	}
	park(makeList(6), 2)
}

func guard(n, i int) *guarded {
	g := &guarded{makeList(3), i}
	extra := makeList(2)
	runtime.SetFinalizer(g, func(g *guarded) {
		atomic.AddInt32(&begun, 1)
		<-forever
		g.held = extra
	})
	return g
}

// start begins n goroutines and waits until each has come to where it stays.
func start(n int, begin func(i int)) {
	want := atomic.LoadInt32(&waiting) + int32(n)
	for i := 0; i < n; i++ {
		begin(i)
	}
	for atomic.LoadInt32(&waiting) < want {
		runtime.Gosched()
	}
}

//go:noinline
func build(shape string, r *rand.Rand, n int) (garbage int) {
	switch shape {
	case "list":
		lists = append(lists, makeList(n))
		makeList(n / 2)
	case "tree":
		trees = append(trees, makeTree(r, n))
		makeTree(r, n/2)
	case "map":
		maps = append(maps, makeMap(r, n))
		makeMap(r, n/2)
	case "graph":
		graphs = append(graphs, makeGraph(r, n))
		makeGraph(r, n/2)
	case "slices":
		tables = append(tables, makeTable(r, n))
		makeTable(r, n/2)
	case "parked":
		start(8, func(int) {
			head, depth := makeList(n/8+8), r.Intn(6)
			go park(head, depth)
		})
	case "locals":
		start(8, func(int) {
			depth := r.Intn(6)
			go parkLocal(nil, n/8+8, depth)
		})
	case "deferred":
		start(8, func(i int) { go parkDeferred(n/8+8, i%2 == 0) })
	case "finalizers":
		for i := 0; i < n/100+2; i++ {
			if g := guard(n, i); i%2 == 0 {
				guards = append(guards, g)
			} else {
				garbage++
			}
		}
	default:
		panic("no shape " + shape)
	}
	return garbage
}

// warmUp collects once and lets one finalizer run to its end, so that neither has anything left to allocate later: what is
// allocated between the dumps may take the place of something freed and look like a survivor.
func warmUp() {
	done := make(chan struct{})
	dropGuarded(done)
	for {
		runtime.GC()
		select {
		case <-done:
			return
		default:
			runtime.Gosched()
		}
	}
}

//go:noinline
func dropGuarded(done chan struct{}) {
	runtime.SetFinalizer(&guarded{makeList(1), -1}, func(*guarded) { close(done) })
}

func create(name string) (*os.File, uintptr) {
	f, err := os.Create(name)
	if err != nil {
		panic(err)
	}
	return f, f.Fd()
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	debug.SetGCPercent(-1)
	warmUp()
	out, shapes, r, n := os.Args[1], strings.Split(os.Args[2], ","), rand.New(rand.NewSource(int64(number(os.Args[3])))), number(os.Args[4])
	before, beforeFd := create(out + ".before")
	after, afterFd := create(out + ".after")
	garbage := 0
	for _, shape := range shapes {
		garbage += build(shape, r, n)
	}
	debug.WriteHeapDump(beforeFd)
	runtime.GC()
	for garbage > 0 && atomic.LoadInt32(&begun) == 0 {
		runtime.Gosched()
	}
	debug.WriteHeapDump(afterFd)
	runtime.KeepAlive(r)
	before.Close()
	after.Close()
}
