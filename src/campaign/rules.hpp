// The rules of the keys of schema.cpp that look at other keys: what is wrong, and what follows.
#pragma once
#include <string>
#include <string_view>

#include "campaign/cell.hpp"

namespace limrisk::rules {

// What is wrong with a key of this cell, in words; empty if nothing is.
std::string data(const CellConfig& cell);
std::string input(const CellConfig& cell);
std::string target(const CellConfig& cell);
std::string noise(const CellConfig& cell);
std::string loss(const CellConfig& cell);
std::string network_size(const CellConfig& cell);
std::string activation(const CellConfig& cell);
std::string initialization(const CellConfig& cell);
std::string initial(const CellConfig& cell);
std::string condition(const CellConfig& cell);
std::string trainable(const CellConfig& cell);
std::string sampling(const CellConfig& cell);
std::string batch(const CellConfig& cell);
std::string optimizer(const CellConfig& cell);
std::string algorithm(const CellConfig& cell);
std::string average(const CellConfig& cell);
std::string checks(const CellConfig& cell);
std::string tail(const CellConfig& cell);
std::string kinks(const CellConfig& cell);
std::string stop_converged(const CellConfig& cell);
std::string stop_all_inactive(const CellConfig& cell);
std::string stop_kinks_crossed(const CellConfig& cell);
std::string stop_proved(const CellConfig& cell);
std::string check_nodes(const CellConfig& cell);
std::string final_nodes(const CellConfig& cell);

/// The one spelling of a choice of groups: "all", or their letters in the order w, b, v, c. What is no choice comes back as it is.
std::string trainable_groups(std::string_view text);

// What follows from other keys: values that are still 0, the batch of a grid, the box of a law without one.
void complete_data(CellConfig& cell);
void complete_trainable(CellConfig& cell);
void complete_target(CellConfig& cell);
void complete_box(CellConfig& cell);
void complete_sampling(CellConfig& cell);
void complete_batch(CellConfig& cell);
void complete_sums(CellConfig& cell);
void complete_checks(CellConfig& cell);
void complete_tail(CellConfig& cell);
void complete_optimizer(CellConfig& cell);
void complete_check_nodes(CellConfig& cell);
void complete_final_nodes(CellConfig& cell);

}  // namespace limrisk::rules
