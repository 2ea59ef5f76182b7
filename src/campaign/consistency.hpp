// Applies the rules of the schema: values that do not fit each other, or vanish when rounded to the precision, and defaults that follow
// from other keys. Each rule looks at the few keys it needs, on all their combinations, so that every problem is found at once.
#pragma once
#include <map>
#include <string>

#include "campaign/alternative.hpp"

namespace limrisk {

/// Axes by path, "network.width".
using Axes = std::map<std::string, Axis>;

/// Adds a problem for every wrong combination. Keys without any right value are left out, and so are checks that need them.
void check_consistency(const Axes& axes, Problems& problems);

/// A cell in which what complete() fills is still open: 0.
CellConfig unset_cell();

/// Fills what follows from other keys: SchemaKey::complete of every row, in their order.
void complete(CellConfig& cell);

}  // namespace limrisk
