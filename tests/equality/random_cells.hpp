// Cells that are multiples of nothing: every optimizer with every activation in both precisions, over odd widths, dimensions and batches.
#pragma once
#include <random>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk::test {

/// All optimizers x activations x precisions x widths; dimension, batch, input law, initialization, sampling and the rest vary along.
/// Sizes are chosen so that one trial costs little. `seed` varies what is not fixed.
std::vector<CellConfig> odd_cells(std::uint64_t seed);

/// Cells of smooth activations many of whose neurons are constant at initialization, since A is rounded, and none frozen.
std::vector<CellConfig> saturating_cells();

/// Cells that train by sorted kinks: all optimizers x piecewise linear activations x precisions x widths. Nodes at kinks, on one side of 0,
/// few and many, and in float32 so close that some coincide.
std::vector<CellConfig> kinks_cells(std::uint64_t seed);

/// `count` data points, some of them equal.
DataPointer random_data(std::mt19937_64& engine, std::int64_t dimension, std::int64_t count, bool weighted);

/// Some of both on data points, weighted and not: all of them in every step, drawn with replacement, or by epochs.
std::vector<CellConfig> data_cells(std::uint64_t seed);

/// Some of these with points that are held out, weighted and not, few and many.
std::vector<CellConfig> validation_cells(std::uint64_t seed);

/// Some of the first in dimension 2 and more on a sphere, in a ball, or on a box whose coordinates have their own ends.
std::vector<CellConfig> input_cells(std::uint64_t seed);

/// Some of the first with input laws that are given by their density: beta, also with ends per coordinate, and in dimension 1 expressions.
std::vector<CellConfig> density_cells(std::uint64_t seed);

/// Some cells with fresh samples, on points that every trial draws for itself.
std::vector<CellConfig> own_point_cells(std::uint64_t seed);

/// Some of all but these whose start has a condition: any number of inactive neurons that attempts can give.
std::vector<CellConfig> condition_cells(std::uint64_t seed);

/// Some of both whose trials end early, each by its own numbers: at check 0 and later, by risk, gradient or verdict, one or all of them.
std::vector<CellConfig> early_end_cells(std::uint64_t seed);

/// Some of all, not on own points, that start at given parameters: one start for all trials, or one for each of `trials`.
std::vector<CellConfig> start_cells(std::uint64_t seed, std::int64_t trials);

/// Some of all with each initialization that draws parameters together.
std::vector<CellConfig> together_cells(std::uint64_t seed);

/// Some of all with a skip connection, all or some groups of parameters trained. `trials`: as of start_cells
std::vector<CellConfig> skip_cells(std::uint64_t seed, std::int64_t trials);

/// Some of all in dimension 1 on fixed points with one kink, whose kinks are compared with those at the start; some end when one has
/// crossed. `trials`: as of start_cells
std::vector<CellConfig> crossing_cells(std::uint64_t seed, std::int64_t trials);

/// One line that names a cell in a failure.
std::string cell_name(const CellConfig& config);

}  // namespace limrisk::test
