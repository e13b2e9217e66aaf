// On the socket at fd 3. TERM: no more is accepted, what is answered is said to be the last of its connection.
package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	var draining int32
	listener, err := net.FileListener(os.NewFile(3, "http"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if atomic.LoadInt32(&draining) != 0 {
			w.Header().Set("Connection", "close")
		}
		io.WriteString(w, strconv.Itoa(os.Getpid()))
	})}
	done := make(chan struct{})
	go func() {
		term := make(chan os.Signal, 1)
		signal.Notify(term, syscall.SIGTERM)
		<-term
		atomic.StoreInt32(&draining, 1)
		listener.Close()
		// Shutdown ends idle connections at once, also those on which a request is under way.
		time.Sleep(300 * time.Millisecond)
		server.Shutdown(context.Background())
		close(done)
	}()
	server.Serve(listener)
	<-done
}
