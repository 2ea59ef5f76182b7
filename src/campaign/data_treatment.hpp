// What becomes of points as they were given: which are held out, what their weights are, how columns are scaled.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "campaign/data_set.hpp"
#include "campaign/points_file.hpp"

namespace limrisk {

/// How points are divided into those that are trained on and others, and what is made of them.
struct DataTreatment {
    std::optional<RawPoints> validation = {};  ///< the others, as they were given
    double holdout = 0;                        ///< share of the points that is held out, by `seed`; 0: none
    std::uint64_t seed = 0;
    bool standardize = false;  ///< columns of the training points to mean 0 and deviation 1, those of the others along with them
};

/// Leaves out points of weight 0, which contribute nothing. Throws ConfigError with what is wrong.
void drop_weightless(RawPoints& points);

/// The number of points that a share of `count` is. Throws ConfigError if none would be held out, or none be left.
std::int64_t held_out_count(double share, std::int64_t count);

/// The points that are trained on, with those that are held out. Throws ConfigError with what is wrong.
std::shared_ptr<DataSet> finished_data(RawPoints points, DataTreatment treatment = {});

}  // namespace limrisk
