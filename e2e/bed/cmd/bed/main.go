// bed is the small static helper of the test cluster. "bed pause" is also the process that holds a pod's namespaces, and
// its image needs nothing else.
package main

import (
	"fmt"
	"log"
	"os"
)

const usage = `usage:
  bed pause                          holds a pod's namespaces: reaps children, ends on SIGTERM
  bed forward LISTEN NETNS TARGET    accepts TCP at LISTEN here, connects to TARGET inside a named network namespace
  bed image --name N --out FILE ...  writes a container image as a docker archive; "bed image --help"
`

func main() {
	log.SetFlags(0)
	log.SetPrefix("bed: ")
	arguments := os.Args[1:]
	var err error
	switch {
	case len(arguments) == 1 && arguments[0] == "pause":
		pause()
	case len(arguments) == 4 && arguments[0] == "forward":
		err = forward(arguments[1], arguments[2], arguments[3])
	case len(arguments) >= 1 && arguments[0] == "image":
		err = image(arguments[1:])
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		log.Fatal(err)
	}
}
