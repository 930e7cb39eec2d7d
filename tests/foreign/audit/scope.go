// Whose events the export has to have, and whether it has all of them.

package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
)

// ids are tenants that are expected.
type ids map[string]bool

func (i ids) String() string { return "" }
func (i ids) Set(text string) error {
	text = strings.TrimPrefix(text, "ten_")
	if id, err := hex.DecodeString(text); err != nil || len(id) != 16 || hex.EncodeToString(id) != text {
		return fmt.Errorf("an id is 32 lower-case hex digits, with or without ten_ before them")
	}
	i[text] = true
	return nil
}

// scope: the manifest says that these are the events that are expected.
func scope(list *manifest, all bool, wanted ids) {
	said := ids{}
	for _, tenant := range list.Tenants {
		if said[tenant] || said.Set(tenant) != nil || !said[tenant] {
			wrong("the manifest names %q, which is no tenant or named twice", tenant)
		}
	}
	found.Tenants, found.Scope = list.Tenants, "own"
	if list.Tenants != nil && len(list.Tenants) == 0 {
		wrong("the manifest names no tenant")
	}
	if all || len(wanted) > 0 {
		found.Scope = "given"
	}
	if all && list.Tenants != nil {
		wrong("it is an export of some tenants, and one of all is expected")
	}
	if len(wanted) > 0 && (list.Tenants == nil || !maps.Equal(said, wanted)) {
		wrong("it is not an export of those that are expected")
	}
}

// complete: nothing that the log has of these tenants is missing, in any partition, and nothing of others is there.
func complete(list *manifest, heads map[string][]head) {
	exported, named := map[string]bool{}, ids{}
	for _, tenant := range list.Tenants {
		named[tenant] = true
	}
	for _, tree := range list.Trees {
		exported[tag(must(hex.DecodeString(tree.Tenant)), tree.Partition)] = true
		if list.Tenants != nil && !named[tree.Tenant] {
			wrong("the tree of %s in partition %d is of nobody who is named", tree.Tenant, tree.Partition)
		}
	}
	if list.Tenants == nil {
		missing := 0
		for name := range heads {
			if !exported[name] {
				missing++
			}
		}
		if missing > 0 {
			wrong("%d trees that the log has are missing", missing)
		}
	}
	for _, tenant := range list.Tenants {
		for partition := 0; partition < list.Partitions; partition++ {
			name := tag(must(hex.DecodeString(tenant)), partition)
			if _, is := heads[name]; is && !exported[name] {
				wrong("the tree of %s in partition %d is missing", tenant, partition)
			}
		}
	}
}
