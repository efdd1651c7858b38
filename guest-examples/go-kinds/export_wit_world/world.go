// Package export_wit_world is the world `example:kinds/outside`: it asks the host for files, time
// and the rest.
package export_wit_world

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	wit "go.bytecodealliance.org/pkg/wit/types"
	"log_reader/gc"
)

// kept is what Leave leaves in the guest itself.
var kept struct {
	text string
	file *os.File
}

func ListFolder(path string) wit.Result[[]string, string] {
	gc.Collect()
	return result(names(path))
}

func ReadFile(path string) wit.Result[string, string] {
	gc.Collect()
	return result(decode(os.ReadFile(path)))
}

func Variable(name string) wit.Option[string] {
	gc.Collect()
	value, found := os.LookupEnv(name)
	if !found {
		return wit.None[string]()
	}
	return wit.Some(value)
}

func Now() uint64 { return uint64(time.Now().UnixNano()) }

func Random() uint32 {
	var number [4]byte
	rand.Read(number[:])
	return binary.LittleEndian.Uint32(number[:])
}

func Say(line string) {
	gc.Collect()
	fmt.Println(line)
}

func Leave(text, folder string) wit.Result[wit.Unit, string] {
	gc.Collect()
	return result(wit.Unit{}, leave(text, folder))
}

func Left() []string {
	gc.Collect()
	var left []string
	if text, found := os.LookupEnv("LEFT"); found {
		left = append(left, text)
	}
	if kept.file != nil {
		content, err := readAgain(kept.file)
		if err != nil {
			content = err.Error()
		}
		left = append(left, kept.text, content)
	}
	return left
}

func names(path string) ([]string, error) {
	// They come sorted.
	entries, err := os.ReadDir(path)
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, err
}

func leave(text, folder string) error {
	if err := os.Setenv("LEFT", text); err != nil {
		return err
	}
	fmt.Print(text)
	file, err := os.Create(filepath.Join(folder, "left"))
	if err != nil {
		return err
	}
	if kept.file != nil {
		kept.file.Close()
	}
	kept.text, kept.file = text, file
	_, err = file.WriteString(text)
	return err
}

func readAgain(file *os.File) (string, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	return decode(io.ReadAll(file))
}

// decode is for what was read: the host takes nothing but UTF-8 for a text, and a string of Go can
// hold anything.
func decode(content []byte, err error) (string, error) {
	if err == nil && !utf8.Valid(content) {
		err = errors.New("not UTF-8")
	}
	return string(content), err
}

func result[T any](value T, err error) wit.Result[T, string] {
	if err != nil {
		return wit.Err[T](err.Error())
	}
	return wit.Ok[T, string](value)
}
