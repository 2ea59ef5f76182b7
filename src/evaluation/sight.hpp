// Whether a rule of few nodes sees its target: a narrow one may lie between all of them.
#pragma once
#include <string>

#include "evaluation/rule.hpp"
#include "kernels/cell.hpp"

namespace limrisk {

/// Throws ConfigError if the variance of the target on the nodes is wrong by more than half of the true one. The true one: d = 1 that on
/// the target's mesh; d >= 2 only bounds are known, so the rule is refused if the variance is proved to be more than twice that on the
/// nodes.
///   nodes  of a rule or a grid, with targets
///   text   of the target
///   key    what says how many nodes there are ("evaluation.nodes")
void require_seen(const InputLaw& input, const kernels::Program& program, const kernels::NodeTable<double>& nodes, const std::string& text,
                  const std::string& key);

/// d >= 2: a lower bound of E (f - mean)^2 by interval arithmetic on boxes that are bisected where most of it may be, until it exceeds
/// `enough`, is proved not to, or 4096 boxes are reached.
double least_mean_square(const InputLaw& input, const kernels::Program& program, double mean, double enough);

}  // namespace limrisk
