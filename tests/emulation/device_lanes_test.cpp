// The lane vocabulary of pack_device.hpp, shuffles and all, on an emulated GPU against that of pack_host.hpp: every bit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "kernels/philox.hpp"
#include "loaded_program.hpp"

namespace limrisk::test {
namespace {

using namespace kernels;

constexpr int warps = 3, threads = 2 * warp_lanes, blocks = 2;  // the last warp of four is idle

/// {} is the precision.
constexpr const char* device_text = R"(
#define LIMRISK_LANES cuda
#include "kernels/philox.hpp"
using namespace limrisk::kernels;
using Real = {};

struct Arguments {{
    const Real* in;            // [32 rows][warps][32 lanes]
    const std::uint32_t* words;  // [warps][32]
    Real* out;                 // [rows][warps][32]
    double* out_double;        // [warps][32]
    std::uint32_t* out_words;  // [4][warps][32]
    std::int32_t tile, warps;
}};

// The number of this thread among those that work, or the end of it.
#define THREAD_OR_RETURN                                             \
    const int thread = blockIdx.x * blockDim.x + threadIdx.x;        \
    const int lanes = 32 * arguments.warps, tile = arguments.tile;   \
    if (thread >= lanes) return;                                     \
    const auto row = [&](int r) {{ return Pack<Real>{{{{arguments.in[r * lanes + thread]}}}}; }}; \
    const auto put = [&](int r, Real value) {{ arguments.out[r * lanes + thread] = value; }}

LIMRISK_KERNEL(broadcast, Arguments, 64) {{
    THREAD_OR_RETURN;
    for (int source = 0; source < tile; ++source) put(source, tile_broadcast(row(source), source, tile, 0));
}}
LIMRISK_KERNEL(rebroadcast, Arguments, 64) {{
    THREAD_OR_RETURN;
    for (int source = 0; source < tile; ++source) put(source, tile_rebroadcast(row(source), source, tile, 0));
}}
LIMRISK_KERNEL(memory_broadcast, Arguments, 64) {{
    THREAD_OR_RETURN;
    for (int source = 0; source < tile; ++source) {{
        put(32 + source, row(source).part[0]);
        warp_barrier();
        const Pack<Real>& own = *reinterpret_cast<const Pack<Real>*>(arguments.out + (32 + source) * lanes + thread);
        put(source, broadcast_from_memory(own, source, tile, 0));
    }}
}}
LIMRISK_KERNEL(exchange_lanes, Arguments, 64) {{
    THREAD_OR_RETURN;
    for (int distance = 1; distance < 32; distance *= 2) put(distance, exchange(row(distance), distance, 0));
}}
LIMRISK_KERNEL(sum, Arguments, 64) {{
    THREAD_OR_RETURN;
    for (int r = 0; r < 4; ++r) put(r, tile_sum(row(r), tile).part[0]);
}}
LIMRISK_KERNEL(transpose_sum, Arguments, 64) {{
    THREAD_OR_RETURN;
    Pack<Real> values[32];
    for (int r = 0; r < tile; ++r) values[r] = row(r);
    tile_transpose_sum(values, tile);
    put(0, values[0].part[0]);
}}
LIMRISK_KERNEL(each_lane, Arguments, 64) {{
    THREAD_OR_RETURN;
    put(0, lane_in_tile<Real>(tile).part[0]);
    put(1, splat_pack<Real>(0.1).part[0]);
    put(2, uniform_variates<Real>(WordPack{{{{arguments.words[thread]}}}}).part[0]);
    arguments.out_double[thread] = to_double(row(0)).part[0];
    WordPack words[4];
    const WordPack call = make_words([](int i) {{ return static_cast<std::uint32_t>(5 * i + 1); }});
    draw_words(0x123456789ABCDEF0ull, trial_words(0x7FFFFFF0ll + thread / 32 * (32 / tile), tile), Purpose::Samples, 0x500000003ull, call, words);
    for (int w = 0; w < 4; ++w) arguments.out_words[w * lanes + thread] = words[w].part[0];
}}
)";

template <class Real>
struct Arguments {
    const Real* in;
    const std::uint32_t* words;
    Real* out;
    double* out_double;
    std::uint32_t* out_words;
    std::int32_t tile = 0, warp_count = warps;
};

template <class Real>
class DeviceLanes : public testing::Test, protected LoadedProgram {
protected:
    static constexpr int lanes = warps * warp_lanes, rows = 64;

    DeviceLanes() : LoadedProgram("device_lanes_test", fmt::format(device_text, sizeof(Real) == 4 ? "float" : "double")) {
        std::mt19937_64 engine(42);
        std::normal_distribution<double> normal;
        for (int i = 0; i < warp_lanes * lanes; ++i) in.push_back(static_cast<Real>(normal(engine) * std::exp(3 * normal(engine))));
        in[3] = -Real(0);
        in[5] = std::numeric_limits<Real>::infinity();
        in[9] = std::numeric_limits<Real>::denorm_min();
        for (int i = 0; i < lanes; ++i) words.push_back(static_cast<std::uint32_t>(engine()));
        words[0] = 0;
        words[1] = 0xFFFFFFFFu;
        arguments = {upload(in), upload(words), allocate<Real>(rows * lanes), allocate<double>(lanes), allocate<std::uint32_t>(4 * lanes)};
    }

    void run(const std::string& kernel, int tile) {
        arguments.tile = tile;
        launch(kernel, blocks, threads, arguments);
        out = download(arguments.out, rows * lanes);
    }

    /// Row r of the warp's input as the host has it.
    Pack<Real> row(int r, int warp) const {
        return make_pack<Real>([&](int i) { return in[static_cast<std::size_t>(r * lanes + warp * warp_lanes + i)]; });
    }

    /// Row r of the output is what `expected(warp)` says.
    template <class Expected>
    void compare(int r, int tile, Expected expected) const {
        for (int warp = 0; warp < warps; ++warp) {
            const Pack<Real> truth = expected(warp);
            for (int i = 0; i < warp_lanes; ++i) {
                const Real found = out[static_cast<std::size_t>(r * lanes + warp * warp_lanes + i)], wanted = truth.lane(i);
                EXPECT_EQ(std::memcmp(&found, &wanted, sizeof found), 0)
                    << "tile " << tile << " row " << r << " warp " << warp << " lane " << i << ": " << found << ", should be " << wanted;
            }
        }
    }

    std::vector<Real> in, out;
    std::vector<std::uint32_t> words;
    Arguments<Real> arguments{};
};

using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(DeviceLanes, Reals);

TYPED_TEST(DeviceLanes, Broadcast) {
    for (const char* kernel : {"broadcast", "rebroadcast", "memory_broadcast"})
        for (int tile = 1; tile <= 32; tile *= 2) {
            this->run(kernel, tile);
            for (int source = 0; source < tile; ++source)
                this->compare(source, tile, [&](int warp) {
                    Pack<TypeParam> truth;
                    for_parts<TypeParam>([&](int p) { truth.part[p] = tile_broadcast(this->row(source, warp), source, tile, p); });
                    return truth;
                });
        }
}

TYPED_TEST(DeviceLanes, Exchange) {
    this->run("exchange_lanes", 32);
    for (int distance = 1; distance < 32; distance *= 2)
        this->compare(distance, 32, [&](int warp) {
            Pack<TypeParam> truth;
            for_parts<TypeParam>([&](int p) { truth.part[p] = exchange(this->row(distance, warp), distance, p); });
            return truth;
        });
}

TYPED_TEST(DeviceLanes, TileSum) {
    for (int tile = 1; tile <= 32; tile *= 2) {
        this->run("sum", tile);
        for (int r = 0; r < 4; ++r) this->compare(r, tile, [&](int warp) { return tile_sum(this->row(r, warp), tile); });
    }
}

TYPED_TEST(DeviceLanes, TransposedSums) {
    for (int tile = 1; tile <= 32; tile *= 2) {
        this->run("transpose_sum", tile);
        this->compare(0, tile, [&](int warp) {
            Pack<TypeParam> values[warp_lanes];
            for (int r = 0; r < tile; ++r) values[r] = this->row(r, warp);
            tile_transpose_sum(values, tile);
            return values[0];
        });
    }
}

TYPED_TEST(DeviceLanes, WhatEachLaneDoesAlone) {
    using Real = TypeParam;
    for (int tile = 1; tile <= 32; tile *= 2) {
        this->run("each_lane", tile);
        this->compare(0, tile, [&](int) { return lane_in_tile<Real>(tile); });
        this->compare(1, tile, [&](int) { return splat_pack<Real>(0.1); });
        this->compare(2, tile, [&](int warp) {
            return uniform_variates<Real>(make_words([&](int i) { return this->words[static_cast<std::size_t>(warp * warp_lanes + i)]; }));
        });
        const auto doubles = this->download(this->arguments.out_double, this->lanes);
        const auto drawn = this->download(this->arguments.out_words, 4 * this->lanes);
        for (int warp = 0; warp < warps; ++warp) {
            const Pack<double> exact = to_double(this->row(0, warp));
            WordPack truth[4];
            draw_words(0x123456789ABCDEF0ull, trial_words(0x7FFFFFF0ll + warp * (32 / tile), tile), Purpose::Samples, 0x500000003ull,
                       make_words([](int i) { return static_cast<std::uint32_t>(5 * i + 1); }), truth);
            for (int i = 0; i < warp_lanes; ++i) {
                const auto at = static_cast<std::size_t>(warp * warp_lanes + i);
                EXPECT_EQ(doubles[at], exact.lane(i));
                for (std::size_t w = 0; w < 4; ++w) EXPECT_EQ(drawn[w * this->lanes + at], truth[w].lane(i)) << "tile " << tile;
            }
        }
    }
}

}  // namespace
}  // namespace limrisk::test
