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
LD.asan := -fsanitize=address,undefined
LD.cov := --coverage
CFLAGS_ALL := $(BASE) $(OPT.$(MODE)) $(WARN) $(CFLAGS)
CXXFLAGS_ALL := -std=c++17 -g -fPIC -MMD -MP $(OPT.$(MODE)) -Wall -Wextra $(CXXFLAGS)
POSIX := -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE

pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
HDF5_CFLAGS := $(call pkg,--cflags,hdf5)
HDF5_LIBS := $(call pkg,--libs,hdf5)
LIBS := $(HDF5_LIBS) -lyaml -ljansson -lxxhash -lRmath -ldl -lm

# ---- layers ----------------------------------------------------------------
# The include paths are the layering rules: a folder cannot name a header that
# is not on its list, so a wrong include does not compile.

INC.engine := -Iengine/include -Iengine/src
INC.policy := -Iengine/include
INC.net := -Iengine/include -Isim
INC.sim := -Iengine/include -Isim $(POSIX)
INC.record := -Iengine/include -Isim $(HDF5_CFLAGS) $(POSIX)
INC.analysis := -Iengine/include -Isim -I. $(HDF5_CFLAGS) $(POSIX)
INC.cli := -Iengine/include -Isim -I. $(POSIX) -DXFERLAB_VERSION='"$(VERSION)"'
INC.tests := -Iengine/include -Iengine/src -Isim -I. -Itests/lib \
  $(HDF5_CFLAGS) $(POSIX) -DXFERLAB_VERSION='"$(VERSION)"'

SRC.engine := $(wildcard engine/src/*.c)
SRC.policy := $(wildcard engine/src/policy/*.c)
SRC.sim := $(wildcard sim/*.c sim/util/*.c sim/scenario/*.c sim/world/*.c)
SRC.net := $(wildcard sim/net/*.c)
SRC.record := $(wildcard sim/record/*.c)
SRC.analysis := $(wildcard analysis/*.c)
SRC.cli := $(wildcard sim/cli/*.c)

obj = $(patsubst %.c,$(OUT)/%.o,$(1))
define compile
$(call obj,$(SRC.$(1))): $(OUT)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS_ALL) $$(INC.$(1)) -c -o $$@ $$<
endef
$(foreach layer,engine policy sim net record analysis cli,$(eval $(call compile,$(layer))))

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

ALL.libs := $(LIB.analysis) $(LIB.sim) $(LIB.record) $(LIB.xl)
LIBS.unit.engine := $(LIB.xl)
LIBS.unit.policy := $(LIB.xl)
LIBS.unit.scenario := $(LIB.sim) $(LIB.xl)
LIBS.unit.fleet := $(LIB.sim) $(LIB.xl)
LIBS.unit.record := $(LIB.record) $(LIB.xl)
LIBS.unit.analysis := $(LIB.analysis) $(LIB.record) $(LIB.xl)
LIBS.unit.world := $(ALL.libs)
LIBS.contract.net := $(LIB.sim) $(LIB.xl)
TESTS.quick := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/*/test_*.c tests/contract/*/test_*.c))
define test_area
$(OUT)/tests/$(1)/$(2)/%: tests/$(1)/$(2)/%.c $$(LIBS.$(1).$(2)) $(wildcard tests/lib/*.[ch]) Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS_ALL) -Wno-unused-function $$(LD.$(MODE)) $$(INC.tests) -rdynamic -o $$@ $$< \
	  $(wildcard tests/lib/*.c) -Wl,--start-group $$(LIBS.$(1).$(2)) -Wl,--end-group $$(LIBS) -lcunit
endef
$(foreach a,engine policy scenario fleet record analysis world,$(eval $(call test_area,unit,$(a))))
$(eval $(call test_area,contract,net))

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
