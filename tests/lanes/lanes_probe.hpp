// The lane vocabulary of one instruction set behind plain functions, so that one test can hold every set to the same truth.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/cell.hpp"

namespace limrisk::test {

enum class Function { Exp, Log, Sin, Cos, Tanh, NormalQuantile, Sqrt, Abs, Softplus, Logistic, Expm1, NormalDistribution };
inline constexpr int function_count = 12;

template <class Real>
struct RealProbe {
    /// out[i] = function(in[i]), count a multiple of 32
    void (*apply)(Function function, const Real* in, Real* out, std::int64_t count);
    /// 32 lanes each; tile is a power of two
    void (*tile_sum)(const Real* in, int tile, Real* out);
    void (*tile_broadcast)(const Real* in, int source, int tile, Real* out);
    /// values [tile][32] -> out [32]
    void (*tile_transpose_sum)(const Real* values, int tile, Real* out);
    /// words [32] -> variates [32] of a law
    void (*variates)(const kernels::Law& law, const std::uint32_t* words, Real* out);
    /// out = mask(a > 0) ? fma(a, b, sum) : sum, and the masked sum, relu, select
    void (*masked)(const Real* a, const Real* b, const Real* sum, Real* fma_out, Real* add_out, Real* relu_out);
    /// sample [32] -> exact double [32]
    void (*to_double)(const Real* in, double* out);
};

struct LanesProbe {
    std::string name;
    RealProbe<float> single;
    RealProbe<double> twice;
    /// counter [4][32] -> output [4][32]
    void (*philox)(std::uint64_t key, const std::uint32_t* counter, std::uint32_t* out);
};

/// One probe for each instruction set that this processor and build offer.
std::vector<LanesProbe> available_probes();

}  // namespace limrisk::test
