// What one key alone cannot show: values that do not fit each other, or vanish when rounded to the precision.
// Each check looks at the few keys it needs, on all their combinations, so that every problem is found at once.
#pragma once
#include <map>
#include <string>

#include "campaign/alternative.hpp"

namespace limrisk {

/// Axes by path, "network.width".
using Axes = std::map<std::string, Axis>;

/// Adds a problem for every wrong combination. Keys without any right value are left out, and so are checks that need them.
void check_consistency(const Axes& axes, Problems& problems);

/// A cell in which what complete() fills is still open.
CellConfig unset_cell();

/// Fills what follows from other keys: default checks, tail and evaluation nodes, the size of a grid's batch, an absent box.
void complete(CellConfig& cell);

}  // namespace limrisk
