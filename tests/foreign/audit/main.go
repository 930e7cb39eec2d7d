// Verifies an export of Waybill's audit with the transparency log packages of the Go project, and with nothing of
// Waybill: written from src/audit/README.md alone.
//
//	verify [-all | -tenant ID ...] DIR [CHECKPOINT...]
//
// What the manifest says of whose events these are is nobody's word: say whom you expect. An ID is 32 hex digits, with or
// without `ten_` before them. Without either, the tenants that were verified are in the answer, and it is about them only.
//
// Every leaf is made again from its record, every inclusion proof and every consistency proof between the reported heads
// is made and checked, and tiles are read as a client of the log would. One JSON object on standard output; exit code 1 if
// anything is wrong.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type counts struct {
	Origin      string   `json:"origin"`
	Entries     int64    `json:"entries"`
	Root        string   `json:"root"`
	Trees       int      `json:"trees"`
	Events      int64    `json:"events"`
	Inclusions  int64    `json:"inclusions"`
	Consistency int64    `json:"consistency"`
	TileReads   int64    `json:"tile_reads"`
	Gaps        int64    `json:"gaps"`
	Checkpoints int      `json:"checkpoints"`
	Tenants     []string `json:"tenants"`
	Scope       string   `json:"scope"`
	Findings    []string `json:"findings"`
}

type manifest struct {
	Installation string   `json:"installation"`
	Partitions   int      `json:"partitions"`
	Tenants      []string `json:"tenants"`
	Trees        []struct {
		Tenant    string `json:"tenant"`
		Partition int    `json:"partition"`
		Size      int64  `json:"size"`
		Root      string `json:"root"`
	} `json:"trees"`
	Files map[string]struct {
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
}

type head struct {
	size int64
	root tlog.Hash
}

var found counts

func wrong(format string, args ...any) {
	found.Findings = append(found.Findings, fmt.Sprintf(format, args...))
}

func must[T any](value T, err error) T {
	if err != nil {
		wrong("%v", err)
		finish()
	}
	return value
}

// One thing has one way to be written: in lower case.
func fromHex(text string) []byte {
	bytes := must(hex.DecodeString(text))
	if hex.EncodeToString(bytes) != text {
		wrong("%q is not written in lower case", text)
	}
	return bytes
}

func finish() {
	text, _ := json.Marshal(found)
	fmt.Println(string(text))
	if len(found.Findings) > 0 {
		os.Exit(1)
	}
	os.Exit(0)
}

func main() {
	all, wanted := flag.Bool("all", false, "it must have everybody's events"), ids{}
	flag.Var(wanted, "tenant", "it must have all events of this tenant, and of no other; may be given again")
	flag.Parse()
	if flag.NArg() < 1 || *all && len(wanted) > 0 {
		fmt.Fprintln(os.Stderr, "usage: verify [-all | -tenant ID ...] DIR [CHECKPOINT...]")
		os.Exit(2)
	}
	dir := flag.Arg(0)
	var list manifest
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(dir, "manifest.json"))), &list); err != nil {
		wrong("manifest: %v", err)
		finish()
	}
	files(dir, &list)
	key := strings.TrimSpace(string(must(os.ReadFile(filepath.Join(dir, "key")))))
	verifier := must(note.NewVerifier(key))
	signed := checkpoint(must(os.ReadFile(filepath.Join(dir, "checkpoint"))), verifier)
	found.Origin, found.Entries = verifier.Name(), signed.N
	found.Root = hex.EncodeToString(signed.Hash[:])

	entries := bundles(filepath.Join(dir, "log"), signed.N)
	hashes := grow(entries)
	if must(tlog.TreeHash(signed.N, hashes)) != signed.Hash {
		wrong("the log's root is not the one that was signed")
	}
	proofs(entries, hashes, signed)
	tiles(filepath.Join(dir, "log"), signed, entries)
	heads := headsOf(entries, list.Partitions)
	for _, path := range flag.Args()[1:] {
		kept := checkpoint(must(os.ReadFile(path)), verifier)
		consistent(hashes, head{kept.N, kept.Hash}, head{signed.N, signed.Hash}, path)
		found.Checkpoints++
	}
	genesis(dir, &list, heads)
	scope(&list, *all, wanted)
	complete(&list, heads)
	for _, tree := range list.Trees {
		one(dir, tree.Tenant, tree.Partition, head{tree.Size, tlog.Hash(fromHex(tree.Root))}, heads)
	}
	finish()
}

// files compares what is there with what is listed.
func files(dir string, list *manifest) {
	listed := 0
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := filepath.ToSlash(must(filepath.Rel(dir, path)))
		if name == "manifest.json" {
			return nil
		}
		file, ok := list.Files[name]
		bytes := must(os.ReadFile(path))
		sum := sha256.Sum256(bytes)
		if !ok || file.Bytes != int64(len(bytes)) || file.SHA256 != hex.EncodeToString(sum[:]) {
			wrong("%s is not the file that the manifest lists", name)
		}
		listed++
		return nil
	})
	if err != nil || listed != len(list.Files) {
		wrong("the manifest lists %d files, and %d are there (%v)", len(list.Files), listed, err)
	}
}

func checkpoint(bytes []byte, verifier note.Verifier) tlog.Tree {
	opened := must(note.Open(bytes, note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		wrong("a checkpoint is origin, size and root: %q", opened.Text)
		finish()
	}
	var size int64
	if _, err := fmt.Sscanf(lines[1], "%d", &size); err != nil || fmt.Sprint(size) != lines[1] {
		wrong("a checkpoint's size is a number: %q", lines[1])
	}
	return tlog.Tree{N: size, Hash: must(tlog.ParseHash(lines[2]))}
}

// path is where C2SP tlog-tiles puts a tile: the height, which is always 8, is not part of it.
func path(tile tlog.Tile) string {
	if tile.L == -1 {
		return strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
	}
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

// bundles reads the leaves of a tree: 256 to a file, each behind its length in two bytes.
func bundles(dir string, size int64) [][]byte {
	var leaves [][]byte
	for at := int64(0); at*256 < size; at++ {
		width := int(min(256, size-at*256))
		bytes := must(os.ReadFile(filepath.Join(dir, path(tlog.Tile{H: 8, L: -1, N: at, W: width}))))
		for n := 0; n < width; n++ {
			if len(bytes) < 2 || len(bytes) < 2+int(binary.BigEndian.Uint16(bytes)) {
				wrong("%s: bundle %d ends early", dir, at)
				finish()
			}
			length := int(binary.BigEndian.Uint16(bytes))
			leaves, bytes = append(leaves, bytes[2:2+length]), bytes[2+length:]
		}
		if len(bytes) > 0 {
			wrong("%s: bundle %d is longer than its leaves", dir, at)
		}
	}
	return leaves
}

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes = append(hashes, s[index])
	}
	return hashes, nil
}

// grow makes the hashes of a tree as a log makes them.
func grow(leaves [][]byte) stored {
	var hashes stored
	for n, leaf := range leaves {
		hashes = append(hashes, must(tlog.StoredHashes(int64(n), leaf, hashes))...)
	}
	return hashes
}

// proofs makes and checks the inclusion proof of every leaf.
func proofs(leaves [][]byte, hashes stored, tree tlog.Tree) {
	for n, leaf := range leaves {
		proof := must(tlog.ProveRecord(tree.N, int64(n), hashes))
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(leaf)); err != nil {
			wrong("leaf %d: %v", n, err)
		}
		found.Inclusions++
	}
}

func consistent(hashes stored, old, now head, what string) {
	if old.size == 0 || old.size > now.size {
		wrong("%s: of %d leaves, and there are %d", what, old.size, now.size)
		return
	}
	proof := must(tlog.ProveTree(now.size, old.size, hashes))
	if err := tlog.CheckTree(proof, now.size, now.root, old.size, old.root); err != nil {
		wrong("%s: %v", what, err)
	}
	found.Consistency++
}

type reader struct{ dir string }

func (reader) Height() int                     { return 8 }
func (reader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(r.dir, path(tile)))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

// tiles reads the tree as a client does that has nothing but its head: the package checks each tile that it reads.
func tiles(dir string, tree tlog.Tree, leaves [][]byte) {
	hashes := tlog.TileHashReader(tree, reader{dir})
	for n := int64(0); n < tree.N; n += 61 {
		read, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil || read[0] != tlog.RecordHash(leaves[n]) {
			wrong("%s: leaf %d is not in its tile: %v", dir, n, err)
			return
		}
		found.TileReads++
	}
}

func tag(tenant []byte, partition int) string {
	hash := sha256.New()
	hash.Write([]byte("waybill audit tree v1\n"))
	hash.Write(tenant)
	hash.Write(binary.BigEndian.AppendUint16(nil, uint16(partition)))
	return hex.EncodeToString(hash.Sum(nil))
}

// headsOf reads the entries of the log: version, partition, count, and 72 bytes for each head.
func headsOf(entries [][]byte, partitions int) map[string][]head {
	heads := map[string][]head{}
	for n, entry := range entries {
		if len(entry) < 5 || entry[0] != 1 || len(entry) != 5+72*int(binary.BigEndian.Uint16(entry[3:])) {
			wrong("entry %d is none", n)
			continue
		}
		if int(binary.BigEndian.Uint16(entry[1:])) >= partitions {
			wrong("entry %d is of a partition that there is not", n)
		}
		for rest := entry[5:]; len(rest) > 0; rest = rest[72:] {
			name := hex.EncodeToString(rest[:32])
			now := head{int64(binary.BigEndian.Uint64(rest[32:])), tlog.Hash(rest[40:72])}
			if known := heads[name]; len(known) > 0 && now.size < known[len(known)-1].size {
				wrong("entry %d: the tree %s goes back", n, name)
			}
			heads[name] = append(heads[name], now)
		}
	}
	return heads
}

// genesis: the first event of the installation's own tree in partition 0 says how many partitions there are.
func genesis(dir string, list *manifest, heads map[string][]head) {
	var file struct {
		Header string   `json:"header"`
		Size   int64    `json:"size"`
		Path   []string `json:"path"`
	}
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(dir, "genesis.json"))), &file); err != nil {
		wrong("genesis: %v", err)
		return
	}
	raw := must(base64.StdEncoding.DecodeString(file.Header))
	header := must(decode(raw))
	var proof tlog.RecordProof
	for _, hash := range file.Path {
		proof = append(proof, tlog.Hash(fromHex(hash)))
	}
	all := heads[tag(make([]byte, 16), 0)]
	if len(all) == 0 || all[len(all)-1].size != file.Size {
		wrong("genesis: the log has no such tree")
		return
	}
	root := all[len(all)-1].root
	if err := tlog.CheckRecord(proof, file.Size, root, 0, tlog.RecordHash(header.leaf(raw, 0, 0))); err != nil {
		wrong("genesis: %v", err)
	}
	facts := must(decodeFacts(header.facts))
	if header.kind != 1 || hex.EncodeToString(facts.installation) != list.Installation || facts.count != list.Partitions {
		wrong("genesis: it is of another installation, or counts other partitions")
	}
}

// one verifies a tree: its events, its leaves, its heads, its tiles.
func one(dir, tenant string, partition int, says head, heads map[string][]head) {
	folder := filepath.Join(dir, "trees", tenant, fmt.Sprint(partition))
	all := heads[tag(fromHex(tenant), partition)]
	if len(all) == 0 || all[len(all)-1] != says {
		wrong("%s: the log does not have it so", folder)
		return
	}
	leaves := bundles(folder, says.size)
	hashes := grow(leaves)
	tree := tlog.Tree{N: says.size, Hash: says.root}
	if must(tlog.TreeHash(tree.N, hashes)) != tree.Hash {
		wrong("%s: its root is not the one that the log has", folder)
		return
	}
	proofs(leaves, hashes, tree)
	tiles(folder, tree, leaves)
	for _, old := range all[:len(all)-1] {
		consistent(hashes, old, says, folder)
	}
	events(folder, tenant, partition, leaves)
	found.Trees++
}

func events(folder, tenant string, partition int, leaves [][]byte) {
	file := must(os.Open(filepath.Join(folder, "events.jsonl")))
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 8<<20)
	n := int64(0)
	for ; lines.Scan(); n++ {
		var event struct {
			Index  int64   `json:"index"`
			Header string  `json:"header"`
			Body   *string `json:"body"`
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil || event.Index != n || n >= int64(len(leaves)) {
			wrong("%s: line %d is not event %d (%v)", folder, n+1, n, err)
			found.Gaps++
			return
		}
		raw := must(base64.StdEncoding.DecodeString(event.Header))
		header := must(decode(raw))
		if hex.EncodeToString(header.tenant[:]) != tenant || string(header.leaf(raw, partition, n)) != string(leaves[n]) {
			wrong("%s: event %d is not its leaf", folder, n)
		}
		if event.Body != nil {
			sum := sha256.Sum256(must(base64.StdEncoding.DecodeString(*event.Body)))
			if sum != header.body {
				wrong("%s: the body of event %d is another one", folder, n)
			}
		}
		found.Events++
	}
	if lines.Err() != nil || n != int64(len(leaves)) {
		wrong("%s: %d events, %d leaves (%v)", folder, n, len(leaves), lines.Err())
		found.Gaps++
	}
}
