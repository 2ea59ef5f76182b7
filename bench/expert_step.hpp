// The step of one cell as a C++ programmer writes it for one purpose: fixed kinds, no exact sums, no checks. A peer for
// bench/peers/compare. Compiled with -O3 -march=native -ffast-math.
#pragma once
#include <cstdint>
#include <vector>

namespace expert {

enum class Form {
    Samples,  ///< one network at a time, a vector is some of its samples
    Lanes,    ///< a replica per vector lane, samples from xoshiro128+
    Philox,   ///< the same with samples from Philox4x32-10
};

/// ReLU, target x_1^2 + 2 x_1, samples uniform on [0, 1]^d, 1 <= d <= 4; SGD at rate 0.01 or Adam at 0.001.
struct Cell {
    int width, dimension, batch;
    bool adam, float64;
};

/// Networks that one step of the form advances.
int replicas(Form form, const Cell& cell);

/// Trains for `steps` steps from arbitrary parameters; processor seconds.
double seconds(Form form, const Cell& cell, std::int64_t steps);

/// Parameters (w [d][h], b, v, c) of the first network after a step on each of the given batches.
///   parameters  where it starts;   samples  [steps][batch][d]
std::vector<double> trained(Form form, const Cell& cell, const std::vector<double>& parameters, const std::vector<double>& samples);

}  // namespace expert
