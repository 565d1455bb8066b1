// Opens checkpoints of the log and checks its proofs with golang.org/x/mod/sumdb, which shares no line with Sallyport.
// Reads one JSON object from the standard input, writes "holds" or the first thing that does not.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Key         string
	Earlier     string
	Later       string
	Consistency []string
	Inclusions  []struct {
		Index int64
		Entry string
		Path  []string
	}
}

type head struct {
	size int64
	root tlog.Hash
}

func hashOf(text string) (hash tlog.Hash, err error) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err == nil && copy(hash[:], bytes) != len(hash) {
		err = fmt.Errorf("a hash of %d bytes", len(bytes))
	}
	return
}

func hashesOf(texts []string) (hashes []tlog.Hash, err error) {
	for _, text := range texts {
		hash, err := hashOf(text)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return
}

func headOf(text string, verifier note.Verifier) (found head, err error) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return found, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return found, fmt.Errorf("no checkpoint: %q", opened.Text)
	}
	if found.size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return found, err
	}
	found.root, err = hashOf(lines[2])
	return found, err
}

func check(asked question) error {
	verifier, err := note.NewVerifier(asked.Key)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	earlier, err := headOf(asked.Earlier, verifier)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	later, err := headOf(asked.Later, verifier)
	if err != nil {
		return fmt.Errorf("later checkpoint: %w", err)
	}
	proof, err := hashesOf(asked.Consistency)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, later.size, later.root, earlier.size, earlier.root); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	for _, each := range asked.Inclusions {
		path, err := hashesOf(each.Path)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash([]byte(each.Entry))
		if err := tlog.CheckRecord(path, later.size, later.root, each.Index, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", each.Index, err)
		}
	}
	return nil
}

func main() {
	var asked question
	err := json.NewDecoder(os.Stdin).Decode(&asked)
	if err == nil {
		err = check(asked)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("holds")
}
