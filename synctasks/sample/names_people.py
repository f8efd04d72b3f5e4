"""Names of people by region: data. Which region a family comes from, its surname decides."""

from typing import NamedTuple


class Region(NamedTuple):
    """The names of one region; ``weight`` is its share of the families, in percent."""

    weight: int
    surnames: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    #: Second names, put between first name and surname now and then.
    women_second: tuple[str, ...]
    men_second: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


REGIONS = (
    # Rajasthan
    Region(
        weight=56,
        surnames=_words(
            """Sharma Meena Gurjar Jat Rathore Shekhawat Chauhan Bairwa Choudhary Saini Kumawat
            Prajapat Regar Vaishnav Rajpurohit Bhati Sisodia Jangid Soni Mali Khatik Suthar Bishnoi
            Godara Poonia Dudi Agarwal Maheshwari Khandelwal Oswal Bhil Damor Garasia Kalbelia"""
        ),
        women=_words(
            """Aarti Anita Bhanwari Chanda Deepika Geeta Hemlata Indra Kamla Kavita Lalita Mamta
            Manju Maya Neelam Parvati Pinki Pooja Pushpa Radha Rekha Santosh Saroj Seema Sita
            Sunita Sushila Tara Urmila Vimla"""
        ),
        men=_words(
            """Ajay Arjun Babulal Bhanwar Bhupendra Devi Dinesh Gajendra Ganesh Gopal Hanuman
            Harish Jagdish Kailash Kishan Lokesh Mahendra Manish Mohan Mukesh Narendra Om Pappu
            Prakash Rajendra Ramesh Ravi Shyam Suresh Vikram"""
        ),
        women_second=_words("Devi Kumari Kanwar Bai"),
        men_second=_words("Lal Singh Ram Kumar Chand"),
    ),
    # Uttar Pradesh, Bihar, Madhya Pradesh
    Region(
        weight=14,
        surnames=_words(
            """Gupta Mishra Pandey Yadav Tiwari Verma Srivastava Dubey Shukla Tripathi Kushwaha
            Maurya Patel Sahu Jha Thakur"""
        ),
        women=_words(
            """Archana Asha Babita Kiran Madhu Meera Nisha Poonam Priyanka Ranjana Rita Savita
            Shanti Usha"""
        ),
        men=_words(
            """Abhishek Alok Amit Anil Ashok Brijesh Deepak Manoj Pankaj Rajesh Rakesh Sanjay
            Sunil Vinod"""
        ),
        women_second=_words("Devi Kumari"),
        men_second=_words("Kumar Prasad Nath"),
    ),
    # Muslim families
    Region(
        weight=12,
        surnames=_words(
            "Khan Ansari Qureshi Sheikh Pathan Mansuri Siddiqui Mirza Rangrez Chhipa Deshwali Mev"
        ),
        women=_words(
            """Amina Ayesha Farida Fatima Gulnaz Hasina Jamila Khadija Nasreen Rehana Rukhsana
            Sabina Shabana Zainab"""
        ),
        men=_words(
            """Abdul Aslam Faisal Imran Iqbal Irfan Javed Mohammad Naseem Rafiq Salim Shahid
            Wasim Yusuf"""
        ),
        women_second=_words("Bano Begum"),
        men_second=_words("Ahmed Ali Hussain"),
    ),
    # Punjab and Haryana
    Region(
        weight=8,
        surnames=_words("Sandhu Gill Dhillon Brar Sidhu Grewal Arora Ahuja Malhotra Sethi Bedi"),
        women=_words("Amrit Baljit Gurpreet Harleen Jasleen Kulwinder Manpreet Navneet Simran"),
        men=_words("Balwinder Gurdeep Harjit Jaspal Karamjit Lakhbir Paramjit Satnam Sukhdev"),
        women_second=_words("Kaur"),
        men_second=_words("Singh"),
    ),
    # Gujarat and Maharashtra
    Region(
        weight=6,
        surnames=_words(
            "Shah Mehta Desai Joshi Trivedi Parmar Solanki Patil Kulkarni Jadhav Pawar"
        ),
        women=_words("Alpa Bhavna Daksha Hetal Jyoti Kalpana Sneha Swati Vaishali"),
        men=_words("Bhavesh Chirag Hitesh Jayesh Ketan Nilesh Paresh Sachin Sandeep"),
        women_second=_words("Ben"),
        men_second=_words("Bhai"),
    ),
    # The east and the south
    Region(
        weight=4,
        surnames=_words(
            """Banerjee Chatterjee Das Ghosh Mondal Nayak Sahoo Iyer Menon Nair Pillai Rao Reddy
            Krishnan Naidu Murthy"""
        ),
        women=_words("Ananya Lakshmi Mou Padma Revathi Saraswati Shreya Sudha Vidya"),
        men=_words("Arun Bikash Debashish Ganapati Murali Prasanna Sourav Subramaniam Venkatesh"),
        women_second=_words("Rani"),
        men_second=_words("Kumar"),
    ),
)
