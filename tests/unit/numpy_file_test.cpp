// NPY and NPZ files of data points: what NumPy writes is read to the same points as a list of them, all else is refused with what it is.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "campaign/campaign.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using testing::HasSubstr;

std::string campaign_of(const std::string& data) {
    return "name = \"d\"\ntrials = 8\nsteps = 10\nprecision = \"float64\"\n[problem]\ndata = " + data +
           "\n[network]\nwidth = 3\n[training]\noptimizer = \"sgd(0.1)\"\n";
}

template <class Number>
std::string bytes_of(const std::vector<double>& values) {
    std::string bytes;
    for (const double value : values) {
        const Number number = static_cast<Number>(value);
        bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
    return bytes;
}

std::string with_header(const std::string& header, const std::string& numbers, int version = 1) {
    std::string bytes = "\x93NUMPY";
    bytes += {static_cast<char>(version), '\0'};
    for (int k = 0; k < (version == 1 ? 2 : 4); ++k) bytes.push_back(static_cast<char>(header.size() >> (8 * k)));
    return bytes + header + numbers;
}

std::string npy(const std::string& type, bool by_columns, const std::string& shape, const std::string& numbers, int version = 1) {
    const std::string header =
        fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type, by_columns ? "True" : "False", shape);
    return with_header(header + "   \n", numbers, version);
}

/// 3 points (1, 2), (3, 4), (5, -6) as rows x, y.
const std::vector<double> rows{1, 2, 3, 4, 5, -6}, columns_first{1, 3, 5, 2, 4, -6};
constexpr const char* as_list = "{ points = [[1, 2], [3, 4], [5, -6]] }";

class NumpyFile : public testing::Test {
protected:
    void SetUp() override {
        directory_ = std::filesystem::temp_directory_path() / ("limrisk-numpy-" + std::to_string(getpid()));
        std::filesystem::create_directories(directory_);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string path(const std::string& name) const { return (directory_ / name).string(); }
    std::string write(const std::string& bytes, const std::string& name) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }
    /// A zip with these entries; `method` of all of them.
    std::string zip(const std::vector<std::pair<std::string, std::string>>& entries, zip_int32_t method = ZIP_CM_DEFLATE) const {
        std::filesystem::remove(path("made.zip"));
        int error = 0;
        zip_t* archive = zip_open(path("made.zip").c_str(), ZIP_CREATE, &error);
        if (archive == nullptr) throw std::runtime_error("no zip");
        for (const auto& [name, bytes] : entries) {
            const zip_int64_t at = zip_file_add(archive, name.c_str(), zip_source_buffer(archive, bytes.data(), bytes.size(), 0), 0);
            if (at < 0 || zip_set_file_compression(archive, static_cast<zip_uint64_t>(at), method, 1) != 0)
                throw std::runtime_error("no entry");
        }
        if (zip_close(archive) != 0) throw std::runtime_error("zip not written");
        std::ifstream file(path("made.zip"), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static DataPointer data_of(const std::string& data) { return parse_campaign(campaign_of(data), "test").cells.at(0).data; }
    static std::string failure_of(const std::string& file, const std::string& columns) {
        try {
            (void)data_of(fmt::format("{{ file = \"{}\", {} }}", file, columns));
        } catch (const ConfigError& error) {
            EXPECT_EQ(static_cast<int>(error.code()), 65);
            return error.what();
        }
        return "no failure";
    }
    std::string npy_failure(const std::string& bytes, const std::string& columns = "inputs = [1], output = 2") const {
        return failure_of(write(bytes, "points.npy"), columns);
    }
    std::string npz_failure(const std::string& bytes, const std::string& columns = "inputs = [\"x\"], output = \"y\"") const {
        return failure_of(write(bytes, "points.npz"), columns);
    }
    std::string hash(const std::string& file, const std::string& columns) const {
        return data_of(fmt::format("{{ file = \"{}\", {} }}", file, columns))->hash;
    }

private:
    std::filesystem::path directory_;
};

TEST_F(NumpyFile, TypesOrdersAndVersions) {
    const std::string expected = data_of(as_list)->hash;
    const auto numbers = [](const std::string& type, const std::vector<double>& values) {
        return type == "<f4"   ? bytes_of<float>(values)
               : type == "<f8" ? bytes_of<double>(values)
               : type == "<i4" ? bytes_of<std::int32_t>(values)
                               : bytes_of<std::int64_t>(values);
    };
    for (const std::string type : {"<f4", "<f8", "<i4", "<i8"})
        for (const int version : {1, 2, 3}) {
            const std::string by_rows = npy(type, false, "(3, 2)", numbers(type, rows), version);
            const std::string by_columns = npy(type, true, "(3, 2)", numbers(type, columns_first), version);
            for (const std::string& bytes : {by_rows, by_columns}) {
                EXPECT_EQ(hash(write(bytes, "points.npy"), "inputs = [1], output = 2"), expected) << type;
                EXPECT_EQ(hash(write(bytes, "no ending"), "output = 2"), expected);
                EXPECT_EQ(hash(write(zip({{"table.npy", bytes}}), "points.npz"), "inputs = [\"table[1]\"], output = \"table[2]\""),
                          expected);
                EXPECT_EQ(hash(write(zip({{"table.npy", bytes}}), "points.npz"), "output = 2"), expected);
            }
        }
}

TEST_F(NumpyFile, ArraysByName) {
    const std::string x = npy("<f8", false, "(3,)", bytes_of<double>({1, 3, 5})),
                      y = npy("<i4", false, "(3, 1)", bytes_of<std::int32_t>({2, 4, -6}));
    const std::string expected = data_of(as_list)->hash;
    for (const zip_int32_t method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
        const std::string file = write(zip({{"x.npy", x}, {"y.npy", y}, {"readme.txt", "no array"}}, method), "points.npz");
        EXPECT_EQ(hash(file, "inputs = [\"x\"], output = \"y\""), expected);
        EXPECT_EQ(hash(file, "output = \"y\""), expected);
        EXPECT_EQ(hash(write(zip({{"x.npy", x}, {"y.npy", y}}, method), "no ending"), "inputs = \"x\", output = \"y[1]\""), expected);
    }
    // All columns of an array; weights; an array that is called like a column of another.
    const std::string wide = npy("<f8", true, "(2, 3)", bytes_of<double>({1, 2, 3, 4, 5, 6})),
                      two = npy("<f8", false, "(2,)", bytes_of<double>({7, 8})),
                      weights = npy("<f4", false, "(2,)", bytes_of<float>({1, 3}));
    const std::string file = write(zip({{"x.npy", wide}, {"y.npy", two}, {"w.npy", weights}, {"x[1].npy", two}}), "points.npz");
    EXPECT_EQ(hash(file, "inputs = [\"x\"], output = \"y\", weight = \"w\""),
              data_of("{ points = [[1, 3, 5, 7], [2, 4, 6, 8]], weights = [1, 3] }")->hash);
    EXPECT_EQ(hash(file, "inputs = [\"x[3]\", \"x[2]\"], output = \"y\""), data_of("{ points = [[5, 3, 7], [6, 4, 8]] }")->hash);
    EXPECT_EQ(hash(file, "inputs = [\"x[1]\"], output = \"w\""), data_of("{ points = [[7, 1], [8, 3]] }")->hash);
}

/// NumPy itself: what numpy.save, numpy.savez and numpy.savez_compressed write.
TEST_F(NumpyFile, WhatNumpyWrites) {
    std::string python;
    for (const char* one : {"python3", "/usr/bin/python3"})
        if (python.empty() && std::system((std::string(one) + " -c 'import numpy' 2>/dev/null").c_str()) == 0) python = one;
    if (python.empty()) GTEST_SKIP() << "needs python3 with NumPy";
    const std::string script = fmt::format(
        "import numpy as np\nt = np.array([[1, 2], [3, 4], [5, -6]])\n"
        "np.save('{0}/a.npy', t.astype('<f4'))\nnp.save('{0}/b.npy', np.asfortranarray(t))\n"
        "np.savez('{0}/a.npz', x=t[:, 0], y=t[:, 1].astype(float))\nnp.savez_compressed('{0}/b.npz', x=t[:, 0], y=t[:, 1].astype('<i4'))\n"
        "np.save('{0}/o.npy', np.array([[1, 'a'], [2, None]], dtype=object))\nnp.save('{0}/s.npy', np.zeros(3, dtype=[('x', '<f8'), ('y', "
        "'<f8')]))\n",
        path(""));
    std::ofstream(path("write.py")) << script;
    ASSERT_EQ(std::system((python + " " + path("write.py")).c_str()), 0);
    const std::string expected = data_of(as_list)->hash;
    for (const char* name : {"a.npy", "b.npy"}) EXPECT_EQ(hash(path(name), "inputs = [1], output = 2"), expected) << name;
    for (const char* name : {"a.npz", "b.npz"}) EXPECT_EQ(hash(path(name), "inputs = [\"x\"], output = \"y\""), expected) << name;
    EXPECT_THAT(failure_of(path("o.npy"), "output = 2"),
                HasSubstr("has the type '|O'; allowed are '<f4', '<f8', '<i4' and '<i8', pickled"));
    EXPECT_THAT(failure_of(path("s.npy"), "output = 2"), HasSubstr("has a structured type"));
}

TEST_F(NumpyFile, WhatIsWrongWithAnArrayIsSaid) {
    const std::string numbers = bytes_of<double>(rows), good = npy("<f8", false, "(3, 2)", numbers);
    ASSERT_EQ(npy_failure(good), "no failure");
    for (std::size_t length = 0; length < good.size(); ++length) {
        const std::string message = npy_failure(good.substr(0, length));
        EXPECT_THAT(message, HasSubstr("points.npy: ")) << length;
        EXPECT_THAT(message, testing::AnyOf(HasSubstr("does not begin as a NPY array does"), HasSubstr("ends within its header"),
                                            HasSubstr("is it complete?")))
            << length;
    }
    const std::map<std::string, std::string> wrong{
        {"x,y\n1,2\n", "does not begin as a NPY array does"},
        {good + "1", "has 49 bytes of numbers, its header says 48"},
        {npy("<f8", false, "(3, 2)", numbers, 4), "has version 4 of the format"},
        {npy(">f8", false, "(3, 2)", numbers), "has the type '>f8'; allowed are '<f4', '<f8', '<i4' and '<i8', the other order of bytes"},
        {npy("<c16", false, "(3,)", numbers), "has the type '<c16'"},
        {npy("<f2", false, "(3, 8)", numbers), "has the type '<f2'"},
        {npy("|b1", false, "(3, 16)", numbers), "has the type '|b1'"},
        {npy("<u8", false, "(3, 2)", numbers), "has the type '<u8'"},
        {npy("|O", false, "(3, 2)", numbers), "pickled Python objects"},
        {npy("<M8[s]", false, "(3, 2)", numbers), "has the type '<M8[s]'"},
        {npy("<f8", false, "()", bytes_of<double>({1})), "has 0 dimensions"},
        {npy("<f8", false, "(3, 2, 1)", numbers), "has 3 dimensions; allowed are 1"},
        {npy("<f8", false, "(0, 2)", ""), "is empty"},
        {npy("<f8", false, "(3, 0)", ""), "is empty"},
        {npy("<f8", false, "(1048577, 2)", numbers), "has 1048577 rows; at most 1048576 are allowed"},
        {npy("<f8", false, "(9223372036854775807, 9223372036854775807)", numbers), "rows; at most 1048576"},
        {npy("<f8", false, "(18446744073709551617, 2)", numbers), "a shape that is no list of sizes"},
        {npy("<f8", false, "(-3, 2)", numbers), "a shape that is no list of sizes"},
        {npy("<f8", false, "(3, 5000)", numbers), "has 5000 columns; at most 4096"},
        {npy("<f8", false, "(1048576, 4096)", numbers), "has 48 bytes of numbers, its header says 34359738368"},
        {npy("<f8", false, "(3 2)", numbers), "no comma"},
        {with_header("{'descr': '<f8', 'fortran_order': False, }", numbers), "not the three keys"},
        {with_header("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", numbers),
         "the key \"descr\", again or unknown"},
        {with_header("{'descr': '<f8', 'fortran_order': 1, 'shape': (3, 2), }", numbers), "neither True nor False"},
        {with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), 'x': 1}", numbers), "the key \"x\", again or unknown"},
        {with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), } + 1", numbers), "not the three keys"},
        {with_header("{'descr': '<f8", numbers), "a text that does not end"},
        {with_header("", numbers), "no { where one must be"},
        {with_header("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (3,), }", numbers), "has a structured type"},
        {std::string("\x93NUMPY\x02\0\xFF\xFF\xFF\xFF", 12) + good, "has a header of 4294967295 bytes; at most 65536"},
        {npy("<f8", false, "(3, 2)", bytes_of<double>({1, 2, 3, std::nan(""), 5, 6})), "column 2, row 2: nan is not a finite number"},
        {npy("<f4", false, "(3, 2)", bytes_of<float>({1, 2, 3, 4, -HUGE_VALF, 6})), "column 1, row 3: -inf is not a finite number"},
        {npy("<i8", false, "(1, 2)", std::string("\1\0\0\0\0\0\x20\0", 8) + std::string(8, '\0')),
         "column 1, row 1: the integer 9007199254740993 is beyond 2^53"},
    };
    for (const auto& [bytes, message] : wrong) EXPECT_THAT(npy_failure(bytes), HasSubstr(message));
    EXPECT_THAT(npy_failure(good, "inputs = [\"x\"], output = 2"),
                HasSubstr("columns of a NPY file have no names; choose by number from 1 to 2"));
    EXPECT_THAT(npy_failure(good, "inputs = [3], output = 2"), HasSubstr("there is no column 3; there are 2"));
    EXPECT_THAT(npy_failure(good, "inputs = [2], output = 2"), HasSubstr("column 2 is chosen twice"));
    EXPECT_THAT(npy_failure(npy("<f8", false, "(3,)", bytes_of<double>({1, 2, 3})), "output = 1"),
                HasSubstr("0 columns of inputs; from 1 to 256"));
    EXPECT_THAT(npy_failure(npy("<f8", false, "(1, 258)", std::string(258 * 8, '\0')), "output = 1"), HasSubstr("257 columns of inputs"));
    EXPECT_THAT(npy_failure(npy("<f8", false, "(1, 3)", bytes_of<double>({1, 2, -3})), "output = 1, weight = 3"),
                HasSubstr("column 3, row 1: the weight -3 is negative"));
    EXPECT_THAT(npy_failure(npy("<f8", false, "(1, 3)", bytes_of<double>({1, 2, 0})), "output = 1, weight = 3"),
                HasSubstr("all weights are 0"));
    EXPECT_THAT(npy_failure(npy("<f8", false, "(2, 2)", bytes_of<double>({1, 2, 1, 3})), "output = 2, standardize = true"),
                HasSubstr("input 1 is the same at all points"));
}

TEST_F(NumpyFile, WhatIsWrongWithAnArchiveIsSaid) {
    const std::string x = npy("<f8", false, "(3,)", bytes_of<double>({1, 3, 5})),
                      y = npy("<f8", false, "(3,)", bytes_of<double>({2, 4, 6}));
    const std::string two = npy("<f8", false, "(3, 2)", bytes_of<double>(rows));
    const std::string good = zip({{"x.npy", x}, {"y.npy", y}, {"t.npy", two}});
    ASSERT_EQ(npz_failure(good), "no failure");
    const std::map<std::string, std::string> wrong{
        {"x,y\n1,2\n", "is no NPZ file ("},
        {"", "points.npz: "},
        {zip({{"readme", "text"}}), "has no array"},
        {zip({{"x.npy", x}}), "there is no array \"y\"; there are x"},
        {zip({{"x.npy", x}, {"y.npy", two}}), "output is the array \"y\" with 2 columns; choose one of them, \"y[1]\""},
        {zip({{"x.npy", npy("<f8", false, "(2,)", bytes_of<double>({1, 2}))}, {"y.npy", y}}), "array \"x\" has 2 rows, array \"y\" has 3"},
        {zip({{"x.npy", "short"}, {"y.npy", y}}), "array \"x\" does not begin as a NPY array does"},
        {zip({{"x.npy", x + "more"}, {"y.npy", y}}), "array \"x\" has 28 bytes of numbers, its header says 24"},
        {zip({{"x.npy", npy("|O", false, "(3,)", "pickled")}, {"y.npy", y}}), "array \"x\" has the type '|O'"},
        {zip({{"x.npy", npy("<f8", false, "(2,)", bytes_of<double>({1, HUGE_VAL}))},
              {"y.npy", npy("<f8", false, "(2,)", bytes_of<double>({1, 2}))}}),
         "array \"x\", row 2: inf is not a finite number"},
        {zip({{"x.npy", x}, {"y.npy", y}}, ZIP_CM_BZIP2), "is packed by method 12 of zip; allowed are 0 and 8"},
    };
    for (const auto& [bytes, message] : wrong) EXPECT_THAT(npz_failure(bytes), HasSubstr(message));
    EXPECT_THAT(npz_failure(good, "inputs = [1], output = \"y\""), HasSubstr("column 1 of 3 arrays; choose by name"));
    EXPECT_THAT(npz_failure(good, "inputs = [\"t[3]\"], output = \"y\""), HasSubstr("there is no column 3 of array \"t\"; it has 2"));
    EXPECT_THAT(npz_failure(good, "inputs = [\"t[0]\"], output = \"y\""), HasSubstr("there is no array \"t[0]\""));
    EXPECT_THAT(npz_failure(good, "inputs = [\"t\", \"t[2]\"], output = \"y\""), HasSubstr("array \"t\", column 2 is chosen twice"));
    // Every truncation is refused, whatever the place.
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_THAT(npz_failure(good.substr(0, length)), HasSubstr("points.npz: ")) << length;
    // Every byte changed: refused, or read to the same points (times, comments, what nobody reads).
    const std::string expected = hash(write(good, "points.npz"), "inputs = [\"x\"], output = \"y\"");
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string changed = good;
        changed[at] = static_cast<char>(changed[at] ^ 0x41);
        const std::string message = npz_failure(changed);
        if (message != "no failure") continue;
        EXPECT_EQ(hash(write(changed, "points.npz"), "inputs = [\"x\"], output = \"y\""), expected) << at;
    }
    std::string twice = good;
    for (std::size_t at = twice.find("t.npy"); at != std::string::npos; at = twice.find("t.npy")) twice[at] = 'x';
    EXPECT_THAT(npz_failure(twice), HasSubstr("two arrays are called \"x\""));
}

/// What would unpack to more than its limits, or than it says.
TEST_F(NumpyFile, BombsAreRefused) {
    const std::string y = npy("<f8", false, "(3,)", bytes_of<double>({2, 4, 6}));
    const std::string large = npy("<f4", false, "(1048576, 65)", std::string(std::size_t{1048576} * 65 * 4, '\0'));  // 260 MiB
    const std::string bomb = zip({{"x.npy", large}, {"y.npy", y}});
    EXPECT_LT(bomb.size(), std::size_t{2} << 20);
    EXPECT_THAT(npz_failure(bomb), HasSubstr("array \"x\" takes 272629"));
    EXPECT_THAT(npz_failure(bomb), HasSubstr("all arrays together may take 256 MiB"));
    EXPECT_EQ(npz_failure(bomb, "inputs = [\"y\"], output = \"y[1]\"").find("takes"), std::string::npos) << "it was not asked for";
    // Each within the limit, but not all of them.
    const std::string half = npy("<f4", false, "(1048576, 40)", std::string(std::size_t{1048576} * 40 * 4, '\0'));
    EXPECT_THAT(npz_failure(zip({{"x.npy", half}, {"z.npy", half}, {"y.npy", y}}), "inputs = [\"x\", \"z\"], output = \"y\""),
                HasSubstr("array \"z\" takes 167772"));
    // The directory says less than there is: the size of x in the central directory (offset 24) and in front of it (offset 22).
    std::string liar = zip({{"x.npy", y + std::string(100000, '\0')}, {"y.npy", y}});
    const std::uint32_t said = static_cast<std::uint32_t>(y.size());
    std::memcpy(liar.data() + liar.find("PK\x01\x02") + 24, &said, 4);
    std::memcpy(liar.data() + liar.find("PK\x03\x04") + 22, &said, 4);
    EXPECT_THAT(npz_failure(liar), HasSubstr("array \"x\" "));
    // Nested sizes that overflow.
    EXPECT_THAT(npz_failure(zip({{"x.npy", npy("<f8", false, "(1048576, 4096)", "")}, {"y.npy", y}})),
                HasSubstr("has 0 bytes of numbers, its header says 34359738368"));
}

}  // namespace
}  // namespace limrisk
