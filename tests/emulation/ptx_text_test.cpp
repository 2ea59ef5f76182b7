// The PTX that NVRTC makes of the kernels rounds every operation to nearest and fuses nothing that the source did not fuse. ptxas may
// change neither: it takes a rounding that is written out as it is.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <memory>
#include <set>
#include <span>
#include <tuple>

#include "backend/cell_plan.hpp"
#include "backend/cuda/cell_programs.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "enum_values.hpp"
#include "kernels/kinds.hpp"

namespace limrisk::test {
namespace {

using cuda::CompileJob;
using cuda::SourceText;
using kernels::ActivationKind;
using kernels::OptimizerKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

/// The opcodes of a PTX text, each once.
std::set<std::string> opcodes_of(const std::string& ptx) {
    std::set<std::string> opcodes;
    const auto is_part = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '$' || c == '%';
    };
    for (std::size_t i = 0; i < ptx.size(); ++i) {
        if (!is_part(ptx[i])) continue;
        std::size_t end = i;
        while (end < ptx.size() && is_part(ptx[end])) ++end;
        const std::string word = ptx.substr(i, end - i);
        if (std::islower(static_cast<unsigned char>(word[0])) != 0 && word.find('.') != std::string::npos) opcodes.insert(word);
        i = end;
    }
    return opcodes;
}

/// Opcodes on reals that are not exact, and not rounded to nearest by what they say themselves: add.f32, div.full.f32, ex2.approx.f32,
/// mul.rn.ftz.f32, fma.rz.f64.
std::vector<std::string> inexact_opcodes(const std::string& ptx) {
    const std::set<std::string> exact{"mov", "ld", "st", "selp", "setp", "neg", "abs", "min", "max", "copysign", "cvt"};
    std::vector<std::string> found;
    for (const std::string& opcode : opcodes_of(ptx)) {
        const std::string base = opcode.substr(0, opcode.find('.')), type = opcode.substr(opcode.rfind('.') + 1);
        bool bad = false;
        for (const char* modifier : {".ftz", ".approx", ".full", ".sat"}) bad = bad || opcode.find(modifier) != std::string::npos;
        if ((type == "f32" || type == "f64" || type == "f32x2") && !exact.contains(base))
            bad = bad || opcode != fmt::format("{}.rn.{}", base, type);
        if (bad) found.push_back(opcode);
    }
    return found;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t number = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++number;
    return number;
}

/// The device headers with the kernels' own fma written as an instruction of another name. NVRTC does not look into it, so an fma.rn that
/// is left in the PTX is one that the compiler made of a product and a sum.
class MarkedHeaders {
public:
    MarkedHeaders() {
        std::size_t replaced = 0;
        for (const SourceText& header : cuda::device_headers()) {
            std::string text(header.text);
            for (const auto& [call, type, letter] : {std::tuple{"__fmaf_rn", "float", 'f'}, std::tuple{"__fma_rn", "double", 'd'}}) {
                const std::string body = fmt::format("return {}(a, b, c);", call);
                const std::size_t at = text.find(body);
                if (at == std::string::npos) continue;
                ++replaced;
                text.replace(at, body.size(),
                             fmt::format("{0} d; asm(\"source_fma.{0} %0, %1, %2, %3;\" : \"={1}\"(d) : \"{1}\"(a), \"{1}\"(b), "
                                         "\"{1}\"(c)); return d;",
                                         type, letter));
            }
            const std::string pairs = "asm(\"fma.rn.f32x2 ";
            if (const std::size_t at = text.find(pairs); at != std::string::npos)
                text.replace(at, pairs.size(), "asm(\"source_fma.rn.f32x2 ");
            EXPECT_EQ(text.find("__fma"), std::string::npos) << header.name << " has an fma that was not found";
            texts_.push_back(std::make_unique<std::string>(std::move(text)));
            headers_.push_back({header.name, *texts_.back()});
        }
        EXPECT_EQ(replaced, 2u);
    }
    std::span<const SourceText> all() const { return headers_; }

private:
    std::vector<std::unique_ptr<std::string>> texts_;
    std::vector<SourceText> headers_;
};

constexpr int kinds = static_cast<int>(enum_count<ActivationKind>());

/// The programs of one cell of the grid. Over the grid every activation and every optimizer occurs, both precisions, compute
/// capabilities 9.0 and 10.0, with parameters in registers (dimension 1 and 2) and in shared memory (dimension 5).
cuda::CellJobs jobs_of(int kind, int architecture = 0) {
    const int precision = (kind ^ kind / 4) & 1;
    CellConfig config;
    config.width = 5;
    config.activation = kernels::example_of(static_cast<ActivationKind>(kind));
    config.optimizer = kernels::example_of(static_cast<OptimizerKind>(kind % static_cast<int>(enum_count<OptimizerKind>())));
    config.precision = static_cast<kernels::Precision>(precision);
    config.input.dimension = kind % 4 == 3 ? 5 : 1 + kind % 2;
    config.target = config.input.dimension == 1 ? "x1^2 + 2*x1" : "x1 * x2";
    if (kind == 0) config.target = "if(x1 < 0.25, exp(x1), -tanh(x1)) / (1 + sqrt(x1))";
    config.batch = kind % 2 ? 5 : 67;
    config.checks = config.tail = 1;
    config.evaluation = {4, config.input.dimension == 1 ? 0 : 4};
    return cuda::compile_jobs(CellPlan(config).cell(), "the grid", architecture > 0 ? architecture : kind / 2 % 2 ? 90 : 100, 227 << 10);
}

class PtxTextChecks : public testing::Test {
protected:
    void SetUp() override {
        static const auto found = cuda::Nvrtc::load();
        nvrtc_ = std::get_if<cuda::Nvrtc>(&found);
        if (!nvrtc_) GTEST_SKIP() << "no NVRTC";
    }
    /// The PTX in which only the compiler's own fma is called so.
    std::string marked_ptx(CompileJob job) const {
        const MarkedHeaders headers;
        job.headers = headers.all();
        return nvrtc_->ptx(job);
    }
    const cuda::Nvrtc* nvrtc_ = nullptr;
};

class PtxText : public PtxTextChecks, public testing::WithParamInterface<int> {};

TEST_P(PtxText, RoundsToNearestAndContractsNothing) {
    const int kind = GetParam();
    const cuda::CellJobs jobs = jobs_of(kind);
    std::vector<CompileJob> checked{jobs.train};
    if (kind == 7) checked.push_back(jobs.evaluate);  // takes long
    if (kind == 0)
        for (const int architecture : {90, 100}) checked.push_back(jobs_of(kind, architecture).train);
    for (const CompileJob& job : checked) {
        const std::string ptx = nvrtc_->ptx(job), marked = marked_ptx(job);
        EXPECT_THAT(inexact_opcodes(ptx), IsEmpty()) << job.name;
        EXPECT_GT(count(ptx, "fma.rn."), 0u) << "the source has some";
        EXPECT_GT(count(marked, "source_fma."), 0u);
        EXPECT_EQ(count(marked, "\tfma.") + count(marked, " fma."), 0u) << job.name;
        EXPECT_EQ(count(marked, "\tmad.rn") + count(marked, " mad.rn"), 0u) << job.name;
    }
}
INSTANTIATE_TEST_SUITE_P(Kinds, PtxText, testing::Range(0, kinds));

/// What the checks are for: the compiler's defaults are seen.
TEST_F(PtxTextChecks, SeesContractionAndFastMath) {
    CompileJob job = jobs_of(0).train;
    job.options = {"--fmad=true"};
    EXPECT_GT(count(marked_ptx(job), "fma.rn."), 0u);
    EXPECT_THAT(inexact_opcodes(nvrtc_->ptx(job)), Not(IsEmpty())) << "sums that ptxas may contract";
    job.source = "extern \"C\" __global__ void k(float* a) { a[0] = sqrtf(a[1] / a[2]); }";
    EXPECT_THAT(inexact_opcodes(nvrtc_->ptx(job)), IsEmpty());
    for (const char* option : {"--ftz=true", "--prec-div=false", "--prec-sqrt=false"}) {
        job.options = {option};
        EXPECT_THAT(inexact_opcodes(nvrtc_->ptx(job)), Not(IsEmpty())) << option;
    }
    EXPECT_THAT(
        inexact_opcodes("\tadd.f32 %f1;\n\t@%p1 fma.rn.ftz.f32 %f1;\n\tdiv.full.f32\n\tadd.rn.f32\n\tadd.s32\n\tmax.f32\n\tsqrt.rn.f64\n"
                        "\tcvt.rn.f32.f64\n\tex2.approx.f32\n\tfma.rz.f64\n"),
        ElementsAre("add.f32", "div.full.f32", "ex2.approx.f32", "fma.rn.ftz.f32", "fma.rz.f64"));
}

}  // namespace
}  // namespace limrisk::test
