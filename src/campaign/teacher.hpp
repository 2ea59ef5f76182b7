// Targets that are networks themselves: read from a campaign, drawn once, written as an expression.
#pragma once
#include <cstdint>
#include <string>

#include "campaign/alternative.hpp"
#include "campaign/cell.hpp"

namespace limrisk {

/// The expression of the teacher in x1, ..., x{dimension}, canonically spelled, its numbers as the shortest decimals that give them back.
/// Empty where it has more numbers than an expression can have characters.
std::string teacher_text(const Teacher& teacher, std::int64_t dimension);

/// Alternatives of `parameter`, whose value is a target: all combinations of what the table { width, activation, initialization, seed }
/// lists. Empty, with problems, if something is wrong.
Axis read_teacher(const Parameter& parameter, const Node& table, const std::string& key, Problems& problems);

/// A cell with the teacher's width, activation, initialization and seed, for the tables that know these keys.
CellConfig cell_of(const Teacher& teacher);

/// The keys of a teacher, as paths of the schema.
inline constexpr const char* teacher_keys[] = {"network.width", "network.activation", "network.initialization", "seed"};

}  // namespace limrisk
