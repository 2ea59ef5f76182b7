// A cell as canonical JSON and back: what identifies a cell in a store, and how replay rebuilds it from there.
#pragma once
#include <string>
#include <string_view>

#include "campaign/cell.hpp"

namespace limrisk {

/// Canonical JSON of a cell: sorted keys, no spaces, doubles as their shortest exact decimals, keys named as in a campaign file. Holds
/// exactly what the trajectory depends on: neither index nor labels, nor parameters that the chosen kind does not have (the slope of a
/// relu). Throws Defect for a number that is not finite.
std::string describe(const CellConfig& cell);

/// The inverse: describe(cell_from_description(text)) == text. Parameters that the kind does not have get CellConfig's defaults; labels,
/// description and id are filled, index is 0. Throws StoreError(Data) naming the key that is wrong or missing, and for values that a
/// campaign could not have: nobody needs to trust the sizes of a store.
CellConfig cell_from_description(std::string_view json);

/// The part of a description that says what networks are fitted to: canonical JSON.
std::string described_problem(std::string_view description);

/// XXH3-128 of a description, 32 hexadecimal digits (as `xxhsum -H2` prints it).
std::string cell_id(std::string_view description);

/// Fills the five labels from the other fields. Parameters stand in the order of the call form, unnamed; behind a learning rate only those
/// that differ from their defaults, named: "clipping(0, 1)", "pytorch, zero bias", "adam(0.01 n^-0.5, beta=0.99)".
void fill_labels(CellConfig& cell);

/// What differs between two descriptions, a phrase per key: "training.batch: 32 here, 64 in the store".
std::string description_difference(std::string_view here, std::string_view stored);

}  // namespace limrisk
