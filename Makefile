# SPDX-License-Identifier: GPL-2.0-or-later
# xferlab: one non-recursive makefile. `make help` lists the targets.
#   MODE=rel|dev|asan|cov  picks flags and build/$(MODE)     CC=gcc|clang
#   V=1                    shows the commands

VERSION := 0.1.0
MODE ?= rel
OUT ?= build/$(MODE)
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif
Q := $(if $(V),,@)
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

# ---- flags ----------------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
  -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wcast-qual \
  -Wswitch-enum -Wwrite-strings -Werror
# No value may depend on how a compiler contracts a*b+c: equal runs, equal bytes.
BASE := -std=c11 -g -ffp-contract=off -fno-strict-aliasing -fPIC -MMD -MP
OPT.rel := -O2
OPT.dev := -O0 -fno-omit-frame-pointer
OPT.asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
  -fno-sanitize-recover=all
OPT.cov := -O0 --coverage
OPT.fuzz := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
  -fno-sanitize-recover=all
LD.asan := -fsanitize=address,undefined
LD.cov := --coverage
CFLAGS_ALL := $(BASE) $(OPT.$(MODE)) $(WARN) $(CFLAGS)
CXXFLAGS_ALL := -std=c++17 -g -fPIC -MMD -MP $(OPT.$(MODE)) -Wall -Wextra $(CXXFLAGS)

pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
HDF5_CFLAGS := $(call pkg,--cflags,hdf5)
HDF5_LIBS := $(call pkg,--libs,hdf5)
LIBS := $(HDF5_LIBS) -lyaml -ljansson -lxxhash -lRmath -ldl -lm

POSIX := -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE

# ---- layers ----------------------------------------------------------------
# The include paths are the layering rules: a folder cannot name a header that
# is not on its list, so a wrong include does not compile.

INC.engine := -Iengine/include -Iengine/src
INC.policy := -Iengine/include
INC.net := -Iengine/include -Isim $(POSIX) -DXFERLAB_LIBDIR='"$(PREFIX)/lib/xferlab"'
INC.sim := -Iengine/include -Isim $(POSIX)
INC.record := -Iengine/include -Isim $(HDF5_CFLAGS) $(POSIX)
INC.analysis := -Iengine/include -Isim -I. $(HDF5_CFLAGS) $(POSIX)
INC.cli := -Iengine/include -Isim -I. $(POSIX) -DXFERLAB_VERSION='"$(VERSION)"'
INC.cli += -I$(OUT)/gen
INC.driver = $(INC.tests)
INC.tests := -Iengine/include -Iengine/src -Isim -I. -Itests -Itests/lib \
  $(HDF5_CFLAGS) $(POSIX) -DXFERLAB_VERSION='"$(VERSION)"'

SRC.engine := $(wildcard engine/src/*.c)
SRC.policy := $(wildcard engine/src/policy/*.c)
SRC.sim := $(wildcard sim/*.c sim/util/*.c sim/scenario/*.c sim/world/*.c)
SRC.net := $(wildcard sim/net/*.c sim/net/fluid/*.c)
SRC.record := $(wildcard sim/record/*.c)
SRC.analysis := $(wildcard analysis/*.c)
SRC.cli := $(wildcard sim/cli/*.c)
SRC.driver := $(wildcard tests/fuzz/driver*.c)

obj = $(patsubst %.c,$(OUT)/%.o,$(1))
define compile
$(call obj,$(SRC.$(1))): $(OUT)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS_ALL) $$(INC.$(1)) -c -o $$@ $$<
endef
$(foreach layer,engine policy sim net record analysis cli driver,$(eval $(call compile,$(layer))))

# The rules that `xferlab describe engine` prints.
$(OUT)/gen/rules.inc: tests/conformance/rules.tsv Makefile
	@mkdir -p $(@D)
	$(Q)awk -F'\t' 'NR>1{gsub(/[\\"]/,"\\\\&"); \
	  printf "{\"%s\", \"%s\", \"%s\", \"%s\", \"%s\"},\n",$$1,$$2,$$3,$$4,$$5}' $< >$@
$(OUT)/sim/cli/describe_engine.o: $(OUT)/gen/rules.inc

LIB.xl := $(OUT)/libxl.a
LIB.sim := $(OUT)/libsim.a
LIB.record := $(OUT)/librecord.a
LIB.analysis := $(OUT)/libanalysis.a
$(LIB.xl): $(call obj,$(SRC.engine) $(SRC.policy))
$(LIB.sim): $(call obj,$(SRC.sim) $(SRC.net))
$(LIB.record): $(call obj,$(SRC.record) sim/util/fail.c)
$(LIB.analysis): $(call obj,$(SRC.analysis))
$(LIB.xl) $(LIB.sim) $(LIB.record) $(LIB.analysis):
	@mkdir -p $(@D) && rm -f $@
	$(Q)ar rcsD $@ $^

$(OUT)/xferlab: $(call obj,$(SRC.cli)) $(LIB.analysis) $(LIB.sim) $(LIB.record) $(LIB.xl)
	$(Q)$(CC) $(LD.$(MODE)) -rdynamic -o $@ $(filter %.o,$^) -Wl,--start-group \
	  $(filter %.a,$^) -Wl,--end-group $(LIBS)

# ---- networks as modules ------------------------------------------------------

NS3 := ns3-core ns3-network ns3-internet ns3-point-to-point
HAVE.simgrid := $(shell pkg-config --exists simgrid 2>/dev/null && echo yes)
HAVE.ns3 := $(shell pkg-config --exists $(NS3) 2>/dev/null && echo yes)
MODULES := $(if $(HAVE.simgrid),$(OUT)/net_simgrid.so) $(if $(HAVE.ns3),$(OUT)/net_ns3.so)
PKG.simgrid := simgrid
PKG.ns3 := $(NS3)
MODSRC = $(wildcard sim/net/$(1)/*.cpp sim/net/$(1)/*.c)
define module
$(OUT)/net_$(1).so: $(addprefix $(OUT)/,$(addsuffix .o,$(call MODSRC,$(1))))
	$$(Q)$$(CXX) -shared $$(LD.$(MODE)) -o $$@ $$^ $$(call pkg,--libs,$$(PKG.$(1)))
$(OUT)/sim/net/$(1)/%.cpp.o: sim/net/$(1)/%.cpp Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CXX) $$(CXXFLAGS_ALL) $$(INC.net) $$(call pkg,--cflags,$$(PKG.$(1))) -c -o $$@ $$<
$(OUT)/sim/net/$(1)/%.c.o: sim/net/$(1)/%.c Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS_ALL) $$(INC.net) -c -o $$@ $$<
endef
$(foreach m,simgrid ns3,$(eval $(call module,$(m))))

# ---- tests -----------------------------------------------------------------------
# tests/unit/<area>/test_*.c: one CUnit binary each, linked with its area's libraries.

# The hostile environment of the engine: for test_random, and a program.
LIB.driver := $(OUT)/libdriver.a
$(LIB.driver): $(call obj,$(filter-out %/driver_main.c,$(SRC.driver)))
	@mkdir -p $(@D) && rm -f $@
	$(Q)ar rcsD $@ $^
$(OUT)/driver: $(call obj,tests/fuzz/driver_main.c) $(LIB.driver) $(LIB.xl)
	$(Q)$(CC) $(LD.$(MODE)) -o $@ $^

ALL.libs := $(LIB.analysis) $(LIB.sim) $(LIB.record) $(LIB.xl)
LIBS.unit.engine := $(LIB.driver) $(LIB.xl)
LIBS.unit.policy := $(LIB.xl)
LIBS.unit.scenario := $(LIB.sim) $(LIB.xl)
LIBS.unit.fleet := $(LIB.sim) $(LIB.xl)
LIBS.unit.record := $(LIB.record) $(LIB.xl)
LIBS.unit.analysis := $(LIB.analysis) $(LIB.record) $(LIB.xl)
LIBS.unit.world := $(ALL.libs)
EXTRA.unit.world := tests/lib/world_run.c sim/cli/spec.c
LIBS.unit.fluid := $(LIB.sim) $(LIB.xl)
LIBS.contract.net := $(LIB.sim) $(LIB.xl)
TESTS.quick := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/*/test_*.c tests/contract/*/test_*.c \
  tests/conformance/test_*.c))
define test_area
$(OUT)/tests/$(1)/$(2)/%: tests/$(1)/$(2)/%.c $$(LIBS.$(1).$(2)) $(wildcard tests/lib/*.[ch]) Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS_ALL) -Wno-unused-function $$(LD.$(MODE)) $$(INC.tests) -rdynamic -o $$@ $$< \
	  $$(EXTRA.$(1).$(2)) -Wl,--start-group $$(LIBS.$(1).$(2)) -Wl,--end-group $$(LIBS) -lcunit
endef
$(foreach a,engine policy scenario fleet record analysis world fluid,$(eval $(call test_area,unit,$(a))))
$(eval $(call test_area,contract,net))
# The rules of the engine, with the small world of the engine's unit tests.
$(OUT)/tests/conformance/%: tests/conformance/%.c $(LIB.xl) tests/unit/engine/fake.h tests/lib/test.h \
  $(wildcard tests/conformance/*.h) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Wno-unused-function $(LD.$(MODE)) $(INC.tests) -Itests/unit/engine \
	  -rdynamic -o $@ $< $(LIB.xl) $(LIBS) -lcunit

# tests/fuzz/fuzz_*.c: fuzz targets; each also eats its corpus as an ordinary test.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
LIBS.fuzz := $(LIB.sim) $(LIB.xl)
TESTS.quick += $(FUZZERS:%=$(OUT)/tests/fuzz/test_%)
$(OUT)/tests/fuzz/test_%: tests/fuzz/fuzz_%.c tests/fuzz/corpus_main.c tests/fuzz/bytes.h $(LIBS.fuzz) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LD.$(MODE)) $(INC.tests) -DCORPUS='"tests/fuzz/corpus/$*"' -o $@ \
	  $(filter %.c,$^) -Wl,--start-group $(LIBS.fuzz) -Wl,--end-group $(LIBS)
$(OUT)/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/bytes.h $(LIBS.fuzz) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer,address,undefined $(INC.tests) -o $@ $< \
	  -Wl,--start-group $(LIBS.fuzz) -Wl,--end-group $(LIBS)

# ---- what people call ----------------------------------------------------------------

.PHONY: all deps demo test test-long bench lint format asan cov mutants conformance \
  purity install clean help
.DEFAULT_GOAL := all

all: $(OUT)/xferlab $(MODULES) ## build the program and its networks
	@echo "built $(OUT)/xferlab; 'make demo' shows what it does, 'make help' lists more"

deps: ## install the Debian packages that are missing
	$(Q)tests/deps

# deps may install what the flags above are asked from, hence a second make.
demo: deps ## compare three policies on a branch-office rollout (seconds, once it is built)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(OUT)/xferlab compare scenarios/branch-office.yaml -o results/demo
	@echo "open results/demo/report.html"

test: deps ## every quick test (under 20 minutes on 2 cores)
	$(Q)$(MAKE) --no-print-directory test-now

test-long: deps ## the tests that take longer: 20 seeds, 100 kills
	$(Q)$(MAKE) --no-print-directory test-now LONG=1

.PHONY: test-now unit
unit: $(TESTS.quick)
test-now: all unit lint
	$(Q)LONG=$(LONG) OUT=$(OUT) CC=$(CC) tests/run $(TESTS.quick)

bench: all ## the budgets of the design, each as one line (B=B7 for one)
	$(Q)OUT=$(OUT) tests/bench/run $(B)

asan: ## build with address and undefined-behaviour sanitizers and run the unit tests
	$(Q)$(MAKE) --no-print-directory MODE=asan unit
	$(Q)OUT=build/asan tests/run --unit $(patsubst $(OUT)/%,build/asan/%,$(TESTS.quick))

COV.tests := $(patsubst %.c,build/cov/%,$(wildcard \
  tests/conformance/test_*.c tests/unit/engine/test_*.c tests/unit/policy/test_*.c))
cov: ## lines and branches of the engine that its tests reach
	$(Q)mkdir -p build/cov && find build/cov -name '*.gcda' -delete
	$(Q)$(MAKE) --no-print-directory MODE=cov OUT=build/cov $(COV.tests)
	$(Q)OUT=build/cov tests/run --unit $(COV.tests)
	$(Q)tests/coverage build/cov 95 90

mutants: ## put faults into the engine, one at a time: which test notices?
	$(Q)OUT=$(OUT) CC=$(CC) tests/mutants/run

conformance: all unit ## write docs/conformance.md anew
	$(Q)OUT=$(OUT) tests/conformance/report

FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-run
fuzz: deps ## run every fuzz target for FUZZ_SECONDS (60) each
	$(Q)$(MAKE) --no-print-directory MODE=fuzz CC=clang CXX=clang++ fuzz-run
fuzz-run: $(FUZZERS:%=$(OUT)/fuzz/%)
	$(Q)for f in $(FUZZERS); do \
	  mkdir -p $(OUT)/found/$$f && $(OUT)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=20 \
	    -rss_limit_mb=4096 -max_len=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix=$(OUT)/fuzz/ \
	    $(OUT)/found/$$f tests/fuzz/corpus/$$f || exit 1; \
	done

# The engine may need memory and strings and nothing else from the world.
PURE := mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr|rchr|spn|cspn|ncat)|__u?(div|mod|divmod)ti[34]|__popcountdi2|__assert_fail|abort|__(stack_chk_fail|memcpy_chk|memset_chk|memmove_chk)|_GLOBAL_OFFSET_TABLE_|s?n?printf|vsnprintf|__(v?snprintf)_chk
purity: $(LIB.xl) ## the engine calls no clock, no I/O, no rand
	$(Q)nm -u $< | awk '$$1=="U"{print $$2}' | sort -u >$(OUT)/undefined
	$(Q)nm --defined-only $< | awk 'NF==3{print $$3}' | sort -u >$(OUT)/defined
	$(Q)! comm -23 $(OUT)/undefined $(OUT)/defined | grep -vxE '$(PURE)'

lint: purity ## layering, self-contained headers, banned words
	$(Q)CC=$(CC) tests/lint

format: ## clang-format every source
	$(Q)git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

install: all ## install into PREFIX (default /usr/local)
	install -D -m755 $(OUT)/xferlab $(DESTDIR)$(PREFIX)/bin/xferlab
	for m in $(MODULES); do install -D -m644 $$m $(DESTDIR)$(PREFIX)/lib/xferlab/$$(basename $$m); done
	for h in engine/include/xl/*.h; do install -D -m644 $$h $(DESTDIR)$(PREFIX)/include/xl/$$(basename $$h); done
	for s in scenarios/*.yaml; do install -D -m644 $$s $(DESTDIR)$(PREFIX)/share/xferlab/scenarios/$$(basename $$s); done

clean: ## remove what was built
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
