// The AVX2 kernels as clang compiles them: the stored bits of every seventh of the frozen cells (known_fingerprints.txt). The program is
// compiled by GCC, where nothing else would show that the bits depend on the text of kernels/ alone, and not on the compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "backend/backend.hpp"
#include "backend/cell_plan.hpp"
#include "backend/cpu/run_block.hpp"
#include "campaign/cell_description.hpp"
#include "limrisk/trial_fields.hpp"

namespace limrisk::cpu {
extern const KernelTable clang_avx2_kernels;
}

namespace limrisk::test {
namespace {

/// As in known_fingerprints_test.
std::string hash_of(const std::vector<TrialRecord>& records) {
    std::string bytes;
    for (const TrialRecord& record : records)
        for (const TrialField& field : trial_fields)
            bytes.append(reinterpret_cast<const char*>(&record) + field.offset, field.type == FieldType::Int32 ? 4 : 8);
    return cell_id(bytes);
}

TEST(ClangLanes, GiveTheKnownBits) {
    const std::vector<Isa> isas = available_isas();
    if (std::find(isas.begin(), isas.end(), Isa::Avx2) == isas.end()) GTEST_SKIP() << "this processor has no AVX2";
    std::ifstream file(LIMRISK_KNOWN_FINGERPRINTS);
    ASSERT_TRUE(file) << LIMRISK_KNOWN_FINGERPRINTS;
    int lines = 0, cells = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#' || lines++ % 7 != 0) continue;
        const std::size_t end = line.find(' ');
        const CellPlan plan(cell_from_description(line.substr(end + 1)));
        WorkStatus status;
        const auto block = cpu::run_block(cpu::clang_avx2_kernels, {&plan, 1, 3}, status, {});
        ASSERT_TRUE(block.has_value());
        EXPECT_EQ(hash_of(block->records), line.substr(0, end)) << line.substr(end + 1);
        ++cells;
    }
    EXPECT_EQ(cells, 29);
}

}  // namespace
}  // namespace limrisk::test
