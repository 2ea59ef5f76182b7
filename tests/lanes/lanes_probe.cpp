// Compiled once per instruction set (see src/backend/CMakeLists.txt for the flags).
#include "lanes_probe.hpp"

#include "kernels/activation.hpp"
#include "kernels/law.hpp"

namespace limrisk::test {
namespace {

using namespace kernels;

template <class Real>
Pack<Real> load(const Real* in) {
    Pack<Real> pack;
    for (int i = 0; i < warp_lanes; ++i) pack.set_lane(i, in[i]);
    return pack;
}

template <class Real>
void store(const Pack<Real>& pack, Real* out) {
    for (int i = 0; i < warp_lanes; ++i) out[i] = pack.lane(i);
}

template <class V>
V evaluate(Function function, V x) {
    const Activation none{};
    switch (function) {
        case Function::Exp:
            return exp(x);
        case Function::Log:
            return log(x);
        case Function::Sin:
            return sin(x);
        case Function::Cos:
            return cos(x);
        case Function::Tanh:
            return tanh(x);
        case Function::NormalQuantile:
            return normal_quantile(x);
        case Function::Sqrt:
            return sqrt(x);
        case Function::Abs:
            return abs(x);
        case Function::Softplus:
            return ActivationOn<ActivationKind::Softplus, V>(none).value(x);
        case Function::Logistic:
            return ActivationOn<ActivationKind::Logistic, V>(none).value(x);
        case Function::Expm1:
            return expm1(x);
        case Function::NormalDistribution:
            return normal_value(x).probability;
    }
    return x;
}

template <class Real>
RealProbe<Real> real_probe() {
    RealProbe<Real> probe;
    probe.apply = [](Function function, const Real* in, Real* out, std::int64_t count) {
        for (std::int64_t i = 0; i < count; i += warp_lanes) {
            Pack<Real> x = load(in + i);
            for_parts<Real>([&](int p) { x.part[p] = evaluate(function, x.part[p]); });
            store(x, out + i);
        }
    };
    probe.tile_sum = [](const Real* in, int tile, Real* out) { store(kernels::tile_sum(load(in), tile), out); };
    probe.tile_broadcast = [](const Real* in, int source, int tile, Real* out) {
        const Pack<Real> x = load(in);
        Pack<Real> result;
        for (int p = 0; p < parts<Real>; ++p) result.part[p] = kernels::tile_broadcast(x, source, tile, p);
        store(result, out);
    };
    probe.tile_transpose_sum = [](const Real* values, int tile, Real* out) {
        Pack<Real> packs[warp_lanes];
        for (int j = 0; j < tile; ++j) packs[j] = load(values + j * warp_lanes);
        kernels::tile_transpose_sum(packs, tile);
        store(packs[0], out);
    };
    probe.variates = [](const Law& law, const std::uint32_t* words, Real* out) {
        WordPack pack;
        for (int i = 0; i < warp_lanes; ++i) pack.set_lane(i, words[i]);
        store(kernels::variates<Real>(law, pack), out);
    };
    probe.masked = [](const Real* a, const Real* b, const Real* sum, Real* fma_out, Real* add_out, Real* relu_out) {
        const Pack<Real> x = load(a), y = load(b), s = load(sum);
        Pack<Real> fused, added, positive;
        for_parts<Real>([&](int p) {
            const auto mask = greater(x.part[p], Vec<Real>{});
            fused.part[p] = masked_fma(mask, x.part[p], y.part[p], s.part[p]);
            added.part[p] = masked_add(mask, s.part[p], y.part[p]);
            positive.part[p] = relu(x.part[p]);
        });
        store(fused, fma_out);
        store(added, add_out);
        store(positive, relu_out);
    };
    probe.to_double = [](const Real* in, double* out) { store(kernels::to_double(load(in)), out); };
    return probe;
}

}  // namespace

LanesProbe LIMRISK_PROBE() {
    LanesProbe probe{LIMRISK_PROBE_NAME, real_probe<float>(), real_probe<double>(), nullptr};
    probe.philox = [](std::uint64_t key, const std::uint32_t* counter, std::uint32_t* out) {
        WordPack words[4];
        for (int w = 0; w < 4; ++w)
            for (int i = 0; i < warp_lanes; ++i) words[w].set_lane(i, counter[w * warp_lanes + i]);
        kernels::philox(words, key);
        for (int w = 0; w < 4; ++w)
            for (int i = 0; i < warp_lanes; ++i) out[w * warp_lanes + i] = words[w].lane(i);
    };
    return probe;
}

}  // namespace limrisk::test
